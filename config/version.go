package config

// Version is who serves one version of a service. It is treated as the service is.
type Version struct {
	// Where requests for this version go. Each may be written as its URL alone.
	Endpoints []Endpoint `yaml:"endpoints"`
	// Sources of further endpoints of this version, whatever version they name.
	Provider *Provider `yaml:"provider"`
}
