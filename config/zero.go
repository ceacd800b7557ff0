package config

// Zero returns the configuration of whoever has written none: clients are served
// on :8080, and workers bring what serves them, from this machine. What they
// serve without naming it is service default, which gets every request whose path
// does not begin with a service and a version that some worker serves. Defaults
// are not filled in yet.
func Zero() *Config {
	return &Config{
		Listeners: []Listener{{Address: defaultListener}},
		Attach:    &Attach{Address: defaultAttach},
		Services:  map[string]Service{defaultService: {}},
		Routes:    zeroRoutes(),
	}
}

// defaultService is the service of workers that name none.
const defaultService = "default"

func zeroRoutes() []Route {
	const named = "/{service}/{version}"
	return []Route{
		{Service: defaultService, Match: Match{Path: "/*"}},
		{
			Service:     "{service}@{version}",
			Match:       Match{Path: named + "/*"},
			StripPrefix: named,
			Fallthrough: true,
		},
	}
}
