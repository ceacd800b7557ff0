package config

// Queue is where requests wait: for an endpoint below its limit, or for the
// first endpoint.
type Queue struct {
	// Requests that wait at once. One more is answered with 503.
	Size int `yaml:"size" default:"1000" max:"1000000" zero:"no request waits"`
	// How long one waits before it is answered with 503.
	Timeout Duration `yaml:"timeout" default:"5s" min:"1ms"`
}
