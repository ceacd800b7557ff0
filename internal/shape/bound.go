package shape

import (
	"strings"

	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// Cost is counted when a function has returned. Three functions can give so much
// more than they got that this is too late: replace, join and format. They are
// done here instead, once it is known what they will give.

// bound returns a decorator that keeps those functions within limit; format is
// CEL's own.
func bound(limit int, format functions.FunctionOp) interpreter.InterpretableDecoratorV2 {
	return func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		call, ok := i.(interpreter.InterpretableCall)
		if !ok {
			return i, nil
		}
		switch call.Function() {
		case "replace":
			return &boundedCall{call, limit, replace}, nil
		case "join":
			return &boundedCall{call, limit, join}, nil
		case "format":
			return &boundedCall{call, limit, func(args []ref.Val, limit int) ref.Val {
				if !formatFits(args, limit) {
					return types.NewErr("format would give more than %d bytes", limit)
				}
				return format(args...)
			}}, nil
		}
		return i, nil
	}
}

// A boundedCall fails rather than to give more than limit.
type boundedCall struct {
	interpreter.InterpretableCall
	limit int
	do    func(args []ref.Val, limit int) ref.Val
}

// Exec implements interpreter.InterpretableV2.
func (b *boundedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	var room [4]ref.Val
	args := room[:0]
	for _, arg := range b.Args() {
		val := arg.Exec(frame)
		if types.IsUnknownOrError(val) {
			return val
		}
		args = append(args, val)
	}
	return b.do(args, b.limit)
}

// Eval implements interpreter.Interpretable.
func (b *boundedCall) Eval(a interpreter.Activation) ref.Val { return b.Exec(interpreter.AsFrame(a)) }

// replace is text.replace(old, new) and text.replace(old, new, times).
func replace(args []ref.Val, limit int) ref.Val {
	text, ok1 := args[0].(types.String)
	old, ok2 := args[1].(types.String)
	with, ok3 := args[2].(types.String)
	times := types.Int(-1)
	ok4 := true
	if len(args) > 3 {
		times, ok4 = args[3].(types.Int)
	}
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return types.NewErr("replace takes texts")
	}
	if len(text)+(len(text)/max(len(old), 1)+1)*len(with) > limit && // at most; if that is too much, count
		len(text)+strings.Count(string(text), string(old))*len(with) > limit {
		return types.NewErr("replace would give more than %d bytes", limit)
	}
	return types.String(strings.Replace(string(text), string(old), string(with), int(max(times, -1))))
}

// join is list.join() and list.join(separator).
func join(args []ref.Val, limit int) ref.Val {
	list, ok := args[0].(traits.Lister)
	if !ok {
		return types.NewErr("join takes a list of texts")
	}
	separator := ""
	if len(args) > 1 {
		text, ok := args[1].(types.String)
		if !ok {
			return types.NewErr("join takes text to separate by")
		}
		separator = string(text)
	}
	var b strings.Builder
	first := true
	for it := list.Iterator(); it.HasNext() == types.True; {
		item, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("join takes a list of texts")
		}
		if b.Len()+len(separator)+len(item) > limit {
			return types.NewErr("join would give more than %d bytes", limit)
		}
		if !first {
			b.WriteString(separator)
		}
		first = false
		b.WriteString(string(item))
	}
	return types.String(b.String())
}

// formatFits reports whether a text that is formatted stays within limit. Each
// verb writes one item once, or a number with all of its digits.
func formatFits(args []ref.Val, limit int) bool {
	const digits = 512 // of the longest number, with the greatest precision
	text, ok := args[0].(types.String)
	if _, list := args[1].(traits.Lister); !ok || !list {
		return false
	}
	return len(text)+strings.Count(string(text), "%")*digits+16*int(weight(args[1], 0)) <= limit
}

// costs corrects what CEL takes for cheap: to compare what is deep, and to join
// lists, which it does lazily, so that a list that was joined with itself many
// times has more items than can ever be gone through.
type costs struct{}

// CallCost implements interpreter.ActualCostEstimator.
func (costs) CallCost(function, overload string, args []ref.Val, result ref.Val) *uint64 {
	var cost uint64
	switch {
	case overload == "add_list":
		cost = sizeOf(result)
	case len(args) == 2 && (function == operators.Equals || function == operators.NotEquals):
		cost = min(weight(args[0], 0), weight(args[1], 0))
	case len(args) == 2 && function == operators.In:
		cost = weight(args[1], 0)
	case function == "json.encode", function == "base64.encode", function == "base64.decode":
		cost = weight(args[0], 0)
	default:
		return nil
	}
	cost++
	return &cost
}

func sizeOf(val ref.Val) uint64 {
	if s, ok := val.(traits.Sizer); ok {
		if n, ok := s.Size().(types.Int); ok {
			return uint64(n)
		}
	}
	return 0
}

// weight is the cost of going through a value to its depth.
func weight(val ref.Val, depth int) (w uint64) {
	const deepest = 64 // what is deeper is compared all the same, and rare
	if depth > deepest {
		return 1
	}
	switch x := val.(type) {
	case types.String:
		return 1 + uint64(len(x)/10)
	case types.Bytes:
		return 1 + uint64(len(x)/10)
	case traits.Mapper:
		for it := x.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			w += weight(key, depth+1) + weight(x.Get(key), depth+1)
		}
	case traits.Lister:
		for it := x.Iterator(); it.HasNext() == types.True; {
			w += weight(it.Next(), depth+1)
		}
	}
	return w + 1
}
