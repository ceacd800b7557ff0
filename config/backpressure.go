package config

// Backpressure is how failures of an endpoint make it rest: it gets no requests
// for a while, then one to see whether it is well again.
type Backpressure struct {
	// Off: no failure makes an endpoint rest; in the file it is the scalar
	// `backpressure: off`.
	Off bool `yaml:"-"`
	// What counts as a failure: `connect`, `reset`, `timeout`, or [classes and codes](#status-codes). An empty list: nothing but what `slow` says.
	Failures []string `yaml:"failures" default:"connect,reset,timeout"`
	// An answer whose head takes longer counts as a failure too.
	Slow Duration `yaml:"slow" default:"0s" zero:"none does"`
	// How long each rest in a row lasts, and all after the last step as long as that: 1 to 32 steps, each at most `1h` and none shorter than the one before.
	Steps []Duration `yaml:"steps" default:"100ms,500ms,1s,10s"`
	// What becomes of requests while all endpoints rest: `discard` answers 503 at once, `pause` lets them wait in the queue.
	Mode string `yaml:"mode" default:"discard" enum:"discard,pause"`
	// The share of the service's endpoints that may rest at once. One that cannot be connected to rests in any case.
	MaxEjected Percent `yaml:"max_ejected" default:"100%" max:"100%" zero:"none rests that can be connected to"`
	// When a smaller share of the endpoints than this is left, those are used as well that rest, unless they cannot be connected to.
	Panic Percent `yaml:"panic" default:"0%" max:"100%" zero:"never"`
}
