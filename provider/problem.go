package provider

// A Problem is an option of a source that is wrong.
type Problem struct{ Option, Message string }

// Error implements error.
func (p *Problem) Error() string { return p.Option + ": " + p.Message }
