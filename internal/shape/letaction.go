package shape

import (
	"github.com/google/cel-go/common/types"
)

// A letAction gives a value a name.
type letAction struct {
	slot int
	expr *Expression
}

func (a *letAction) apply(v *View) error {
	v.lets[a.slot] = nil
	val, err := a.expr.eval(v)
	if err != nil {
		return err
	}
	if text, ok := val.(types.String); ok && len(text) > a.expr.compiler.maxContent {
		return unusable("the value is larger than %d bytes", a.expr.compiler.maxContent)
	}
	v.lets[a.slot] = val
	return nil
}
