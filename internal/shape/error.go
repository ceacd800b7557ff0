package shape

import "fmt"

// An Error is what is wrong with an expression or a step as it was written.
type Error struct {
	// Path leads to the place in the lists given to Steps, such as
	// "request[2].set.Forwarded"; empty for an expression by itself.
	Path string
	// Offset is where in the expression, in bytes; -1 if it is not about one.
	Offset int
	// Message says what to do.
	Message string
}

// Error returns the message behind the path.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// notAbout makes an Error that is not about an expression.
func notAbout(path, format string, args ...any) *Error {
	return &Error{Path: path, Offset: -1, Message: fmt.Sprintf(format, args...)}
}

// A Reason is why a step was skipped.
type Reason uint8

// The reasons.
const (
	// SkippedError: an expression failed, or its value cannot be used.
	SkippedError Reason = iota
	// SkippedCost: an evaluation reached the cost limit.
	SkippedCost
	// SkippedNotJSON: the content is not the JSON that the step changes.
	SkippedNotJSON
	// SkippedTooLarge: the content is larger than a step may read.
	SkippedTooLarge
	reasons
)

// String returns the reason as it is counted.
func (r Reason) String() string {
	return [...]string{"error", "cost", "not_json", "too_large"}[r]
}

// An EvalError is why a step, or an expression by itself, gave nothing.
type EvalError struct {
	// Path leads to the step or the action; empty for an expression by itself.
	Path   string
	Reason Reason
	Err    error
}

// Error says where and why.
func (e *EvalError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *EvalError) Unwrap() error { return e.Err }

// unusable is the error of a value that cannot be used.
func unusable(format string, args ...any) error {
	return &EvalError{Reason: SkippedError, Err: fmt.Errorf(format, args...)}
}
