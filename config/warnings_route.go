package config

import (
	"slices"
	"strings"
)

// routeWarnings tells of routes that cannot do what they seem to, and returns
// those that lead to each service. One that names a service by a capture leads to
// all of them.
func (c *checker) routeWarnings(cfg *Config) map[string][]Route {
	leading := map[string][]Route{}
	for i, r := range cfg.Routes {
		path := joinIndex("routes", i)
		t, err := ParseTarget(r.Service)
		if err != nil {
			continue // Validate says so
		}
		if r.Fallthrough && !t.IsTemplate() && t.Version.Text == "" {
			c.add(joinKey(path, "fallthrough"), "has no effect: there always is a service %s", r.Service)
		}
		if message := cfg.versionWarning(t); message != "" {
			c.add(joinKey(path, "service"), "%s", message)
		}
		targets := append(stepTargets(r.Request), t)
		for name := range cfg.Services {
			if slices.ContainsFunc(targets, func(t Target) bool { return t.Service.Capture || t.Service.Text == name }) {
				leading[name] = append(leading[name], r)
			}
		}
	}
	return leading
}

// stepTargets is where request steps may send a request. What an expression gives
// may be any service, as a capture may.
func stepTargets(list []Step) (targets []Target) {
	for _, s := range list {
		targets = append(targets, stepTargets(s.Then)...)
		targets = append(targets, stepTargets(s.Else)...)
		if s.Route == "" {
			continue
		}
		t := Target{Service: TargetName{Capture: true}}
		if isConstant(s.Route) {
			t, _ = ParseTarget(strings.Trim(strings.TrimSpace(s.Route), `"'`)) // a wrong one leads nowhere
		}
		targets = append(targets, t)
	}
	return targets
}
