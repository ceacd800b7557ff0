package shape

import (
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// A want is what somebody takes for a value.
type want struct {
	what, list string
	kinds      []types.Kind
	texts      bool // a list of texts, too
	check      func(ref.Val) error
}

var scalars = []types.Kind{types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.BoolKind}

// wanted are those of expressions by themselves.
var wanted = [...]want{
	Any:  {},
	Bool: {what: "this", list: "true or false", kinds: []types.Kind{types.BoolKind}},
	Text: {what: "this", list: "text, a number or a bool", kinds: scalars},
	Int:  {what: "this", list: "a whole number", kinds: []types.Kind{types.IntKind, types.UintKind}},
}

// takes reports whether values of that type may be taken. What is not known
// before it is there (dyn: parts of a body) is looked at then.
func (w *want) takes(t *types.Type) bool {
	if w.kinds == nil {
		return true
	}
	switch k := t.Kind(); k {
	case types.DynKind, types.AnyKind:
		return true
	case types.ListKind:
		item := t.Parameters()[0].Kind()
		return w.texts && (item == types.StringKind || item == types.DynKind || item == types.TypeParamKind)
	default:
		for _, taken := range w.kinds {
			if k == taken {
				return true
			}
		}
		return false
	}
}

// describe says what a type is.
func describe(t ref.Type) string {
	typ, ok := t.(*types.Type)
	if !ok {
		return t.TypeName()
	}
	if name, ok := kindNames[typ.Kind()]; ok {
		return name
	}
	return "the " + strings.TrimPrefix(typ.TypeName(), "@") + " as a whole"
}

var kindNames = map[types.Kind]string{
	types.BoolKind:      "a bool",
	types.BytesKind:     "bytes (string(…) makes text of them)",
	types.DoubleKind:    "a number",
	types.DurationKind:  "a duration (string(…) makes text of it)",
	types.DynKind:       "a value of unknown kind",
	types.ErrorKind:     "an error",
	types.IntKind:       "a number",
	types.ListKind:      "a list",
	types.MapKind:       "a map",
	types.NullTypeKind:  "null",
	types.StringKind:    "text",
	types.TimestampKind: "a time (string(…) makes text of it)",
	types.TypeKind:      "a type",
	types.UintKind:      "a number",
}
