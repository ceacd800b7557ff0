package config

// Hedge is when strategy hedge asks one more endpoint for the same request.
type Hedge struct {
	// How long the head of a response may take before one more endpoint is asked: a [delay](#delays).
	After Delay `yaml:"after" default:"p95"`
	// Endpoints that work on one request at once.
	Max int `yaml:"max" default:"2" min:"2" max:"16"`
	// Requests sent to one more endpoint, in proportion to the service's requests.
	Budget Percent `yaml:"budget" default:"10%" max:"1000%" zero:"none"`
}
