package config

import (
	"maps"
	"slices"
)

// needsOwn tells whether some request reaches the service itself rather than a
// version of it.
func (w serviceWarner) needsOwn() bool {
	if len(w.service.Split) > 0 {
		return false
	}
	return len(w.service.Versions) == 0 || slices.ContainsFunc(w.routes, func(r Route) bool {
		t, err := ParseTarget(r.Service)
		return err == nil && !t.Version.Capture && t.Version.Text == ""
	})
}

// versions tells of versions that nobody serves.
func (w serviceWarner) versions() {
	s := w.service
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		if v := s.Versions[name]; len(v.Endpoints) == 0 && v.Provider.empty() && !w.open {
			w.addAtKey(w.below("versions", name), "has no endpoints%s", w.whyNoWorkers())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Split)) {
		if _, ok := s.Versions[name]; !ok && !w.open {
			w.addAtKey(w.below("split", name), "there is no such version under versions%s; its share goes to the others", didYouMean(name, slices.Collect(maps.Keys(s.Versions))))
		}
	}
}

// versionWarning tells why a route leads to a version that nobody can serve; empty
// if it does not.
func (cfg *Config) versionWarning(t Target) string {
	if t.Version.Text == "" || cfg.Attach != nil {
		return ""
	}
	if t.Service.Capture || t.Version.Capture {
		for _, s := range cfg.Services {
			if len(s.Versions) > 0 || !s.Provider.empty() {
				return ""
			}
		}
		return "no service has versions, and there is no attach for workers to bring them"
	}
	s := cfg.Services[t.Service.Text]
	if _, ok := s.Versions[t.Version.Text]; ok || !s.Provider.empty() {
		return ""
	}
	known := slices.Sorted(maps.Keys(s.Versions))
	if len(known) == 0 {
		return "service " + t.Service.Text + " has no versions, and there is no attach for workers to bring them"
	}
	return "service " + t.Service.Text + " has no version " + t.Version.Text + didYouMean(t.Version.Text, known) + "; there are: " + list(known)
}
