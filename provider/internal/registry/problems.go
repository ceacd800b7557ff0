package registry

import (
	"errors"
	"fmt"

	"github.com/weirproxy/weir/provider"
)

// Problems collects which options are wrong.
type Problems []*provider.Problem

// Add adds one.
func (p *Problems) Add(option, format string, args ...any) {
	*p = append(*p, &provider.Problem{Option: option, Message: fmt.Sprintf(format, args...)})
}

// Err returns all of them as one error; nil if there are none.
func (p Problems) Err() error {
	list := make([]error, len(p))
	for i := range p {
		list[i] = p[i]
	}
	return errors.Join(list...)
}
