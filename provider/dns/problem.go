package dns

import (
	"errors"
	"fmt"
)

// A Problem is an option that is wrong.
type Problem struct {
	// Option is the option as configurations call it, with its place in a list:
	// "name", or "servers[1]".
	Option string
	// Message says what is wrong with it.
	Message string
}

// Error implements error.
func (p *Problem) Error() string { return p.Option + ": " + p.Message }

// problems collects what is wrong.
type problems []*Problem

func (p *problems) add(option, format string, args ...any) {
	*p = append(*p, &Problem{option, fmt.Sprintf(format, args...)})
}

// err returns all of them as one error; nil if there are none.
func (p problems) err() error {
	list := make([]error, len(p))
	for i := range p {
		list[i] = p[i]
	}
	return errors.Join(list...)
}
