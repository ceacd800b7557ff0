package shape

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// concat is a + b + c + … of texts, made in one go instead of two at a time.
type concat struct {
	interpreter.InterpretableCall
	parts []interpreter.InterpretableV2
}

// flatten is a decorator that makes one concat of nested ones: parts are
// decorated before what they are parts of.
func flatten(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || call.OverloadID() != "add_string" {
		return i, nil
	}
	c := &concat{InterpretableCall: call}
	for _, arg := range call.Args() {
		if inner, ok := arg.(*concat); ok {
			c.parts = append(c.parts, inner.parts...)
		} else {
			c.parts = append(c.parts, arg)
		}
	}
	return c, nil
}

// Exec implements interpreter.InterpretableV2.
func (c *concat) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	var room [maxPlus + 1]string
	texts, size := room[:0], 0
	for _, part := range c.parts {
		val := part.Exec(frame)
		text, ok := val.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(val)
		}
		texts, size = append(texts, string(text)), size+len(text)
	}
	var b strings.Builder
	b.Grow(size)
	for _, text := range texts {
		b.WriteString(text)
	}
	return types.String(b.String())
}

// Eval implements interpreter.Interpretable.
func (c *concat) Eval(a interpreter.Activation) ref.Val { return c.Exec(interpreter.AsFrame(a)) }
