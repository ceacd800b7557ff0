package config

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
		if !t.Service.Capture {
			leading[t.Service.Text] = append(leading[t.Service.Text], r)
			continue
		}
		for name := range cfg.Services {
			leading[name] = append(leading[name], r)
		}
	}
	return leading
}
