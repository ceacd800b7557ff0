package provider

// A Problem is an option of a source that is wrong.
type Problem struct {
	// Option is the option as configurations call it, with its place in a list:
	// "prefix", or "servers[1]".
	Option string
	// Message says what is wrong with it.
	Message string
}

// Error implements error.
func (p *Problem) Error() string { return p.Option + ": " + p.Message }
