package shape

import (
	"bytes"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// truth returns e as plainly true or false; nil if it is not.
func (p *planner) truth(e ast.Expr) plainTruth {
	if p.ast.GetType(e.ID()).Kind() != types.BoolKind {
		return nil
	}
	switch e.Kind() {
	case ast.LiteralKind:
		is := bool(e.AsLiteral().(types.Bool))
		return func(*View) bool { return is }
	case ast.SelectKind:
		return p.selectedTruth(e.AsSelect())
	case ast.CallKind:
		return p.calledTruth(e.AsCall())
	}
	return nil
}

func (p *planner) selectedTruth(s ast.SelectExpr) plainTruth {
	if !s.IsTestOnly() {
		if f := p.field(s); f != nil {
			return f.truth
		}
		return nil
	}
	return contains(p.source(s.Operand()), s.FieldName())
}

func contains(m *source, key string) plainTruth {
	if m == nil {
		return nil
	}
	return func(v *View) bool { return m.has(v, key) }
}

func (p *planner) calledTruth(c ast.CallExpr) plainTruth {
	args := c.Args()
	switch c.FunctionName() {
	case operators.LogicalNot:
		return not(p.truth(args[0]))
	case operators.LogicalAnd:
		return both(p.truth(args[0]), p.truth(args[1]))
	case operators.LogicalOr:
		return not(both(not(p.truth(args[0])), not(p.truth(args[1]))))
	case operators.In:
		if key, ok := literal(args[0]); ok {
			return contains(p.source(args[1]), key)
		}
	case operators.NotEquals:
		return not(p.equal(args[0], args[1]))
	case operators.Equals:
		return p.equal(args[0], args[1])
	case operators.Less:
		return less(p.number(args[0]), p.number(args[1]))
	case operators.Greater:
		return less(p.number(args[1]), p.number(args[0]))
	case operators.LessEquals:
		return not(less(p.number(args[1]), p.number(args[0])))
	case operators.GreaterEquals:
		return not(less(p.number(args[0]), p.number(args[1])))
	}
	if compare := comparisons[c.FunctionName()]; compare != nil && c.IsMemberFunction() {
		return compared(p.text(c.Target()), p.text(args[0]), compare)
	}
	return nil
}

// comparisons are functions of two texts.
var comparisons = map[string]func(a, b []byte) bool{
	"startsWith": bytes.HasPrefix, "endsWith": bytes.HasSuffix, "contains": bytes.Contains,
}

func not(is plainTruth) plainTruth {
	if is == nil {
		return nil
	}
	return func(v *View) bool { return !is(v) }
}

func both(a, b plainTruth) plainTruth {
	if a == nil || b == nil {
		return nil
	}
	return func(v *View) bool { return a(v) && b(v) }
}

// equal compares two texts, or two whole numbers.
func (p *planner) equal(a, b ast.Expr) plainTruth {
	if x, y := p.number(a), p.number(b); x != nil && y != nil {
		return func(v *View) bool { return x(v) == y(v) }
	}
	if text, ok := literal(b); ok {
		return equals(p.text(a), text)
	}
	return compared(p.text(a), p.text(b), bytes.Equal)
}

func equals(a plainText, text string) plainTruth {
	if a == nil {
		return nil
	}
	return func(v *View) bool {
		at := len(v.stack)
		a(v)
		return string(v.pop(at)) == text
	}
}

func compared(a, b plainText, compare func(a, b []byte) bool) plainTruth {
	if a == nil || b == nil {
		return nil
	}
	return func(v *View) bool {
		at := len(v.stack)
		a(v)
		middle := len(v.stack)
		b(v)
		texts := v.pop(at)
		return compare(texts[:middle-at], texts[middle-at:])
	}
}

func less(a, b plainNumber) plainTruth {
	if a == nil || b == nil {
		return nil
	}
	return func(v *View) bool { return a(v) < b(v) }
}

// number returns e as a whole number that is plain; nil if it is none.
func (p *planner) number(e ast.Expr) plainNumber {
	if p.ast.GetType(e.ID()).Kind() != types.IntKind {
		return nil
	}
	switch e.Kind() {
	case ast.LiteralKind:
		n := int64(e.AsLiteral().(types.Int))
		return func(*View) int64 { return n }
	case ast.SelectKind:
		if f := p.field(e.AsSelect()); f != nil {
			return f.number
		}
	}
	return nil
}
