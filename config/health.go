package config

// Health is a check that each endpoint of a service gets again and again.
type Health struct {
	// The path, with or without a query, that a GET asks for. Left out: a check opens a connection, and that it succeeds is enough.
	Path string `yaml:"path"`
	// From one check of an endpoint to the next.
	Interval Duration `yaml:"interval" default:"2s" min:"10ms"`
	// How long one check may take.
	Timeout Duration `yaml:"timeout" default:"1s" min:"1ms"`
	// Checks in a row that must succeed before an endpoint gets requests again.
	Rise int `yaml:"rise" default:"2" min:"1"`
	// Checks in a row that must fail before it gets none any more.
	Fall int `yaml:"fall" default:"3" min:"1"`
	// The answers that are a success: [classes and codes](#status-codes).
	Expect []string `yaml:"expect" default:"2xx" scalar:"true"`
}
