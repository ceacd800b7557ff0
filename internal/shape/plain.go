package shape

import (
	"bytes"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Most expressions of routes only join texts of the head, or compare them. Those are
// plain: they are compiled to functions that work on the View's stack, and give what
// CEL would give, without an allocation and in a fraction of its time. None of them
// can fail. Everything else, and every expression with a part that is not plain, is
// CEL's.
type (
	plainText   func(v *View) // pushes the text
	plainTruth  func(v *View) bool
	plainNumber func(v *View) int64
)

// A plainExpression is one that is plain; one of its functions is not nil.
type plainExpression struct {
	text  plainText
	truth plainTruth
	// answered: there has to be a response, else only CEL knows what to say.
	answered bool
}

// plainOf returns a as a plain expression; nil if it is not.
func plainOf(a *ast.AST) *plainExpression {
	p := planner{ast: a}
	out := &plainExpression{text: p.text(a.Expr())}
	if out.text == nil {
		out.truth = p.truth(a.Expr())
	}
	out.answered = p.answered
	if out.text == nil && out.truth == nil {
		return nil
	}
	return out
}

// textOf evaluates e if it is a plain text. What it returns is there until the next
// evaluation.
func (e *Expression) textOf(v *View) (text []byte, ok bool) {
	if e.plain == nil || e.plain.text == nil || e.plain.answered && v.reply == nil {
		return nil, false
	}
	v.compiler = e.compiler
	e.plain.text(v)
	return v.pop(0), true
}

// truthOf evaluates e if it is plainly true or false.
func (e *Expression) truthOf(v *View) (truth, ok bool) {
	if e.plain == nil || e.plain.truth == nil || e.plain.answered && v.reply == nil {
		return false, false
	}
	v.compiler = e.compiler
	return e.plain.truth(v), true
}

// A planner makes plain expressions of what CEL has parsed and checked.
type planner struct {
	ast      *ast.AST
	answered bool
}

// text returns e as a plain text; nil if it is none.
func (p *planner) text(e ast.Expr) plainText {
	if p.ast.GetType(e.ID()).Kind() != types.StringKind {
		return nil
	}
	switch e.Kind() {
	case ast.LiteralKind:
		text := string(e.AsLiteral().(types.String))
		return func(v *View) { v.pushString(text) }
	case ast.IdentKind:
		return plainVariables[e.AsIdent()]
	case ast.SelectKind:
		return p.selectedText(e.AsSelect())
	case ast.CallKind:
		return p.calledText(e.AsCall())
	}
	return nil
}

// plainVariables are the variables that are texts. No let can take their names.
var plainVariables = map[string]plainText{
	"service":  func(v *View) { v.pushString(v.Service) },
	"version":  func(v *View) { v.pushString(v.Version) },
	"hostname": func(v *View) { v.pushString(string(v.compiler.hostname.(types.String))) },
}

func (p *planner) selectedText(s ast.SelectExpr) plainText {
	if f := p.field(s); f != nil {
		return f.text
	}
	if m := p.source(s.Operand()); m != nil && !s.IsTestOnly() {
		return m.at(s.FieldName())
	}
	return nil
}

// at returns the text of one key; nil if values are no texts.
func (s *source) at(key string) plainText {
	if s.push == nil {
		return nil
	}
	return func(v *View) { s.push(v, key) }
}

func (p *planner) calledText(c ast.CallExpr) plainText {
	args := c.Args()
	switch c.FunctionName() {
	case operators.Add:
		return joined(p.text(args[0]), p.text(args[1]))
	case operators.Index:
		if key, ok := literal(args[1]); ok {
			if m := p.source(args[0]); m != nil {
				return m.at(key)
			}
		}
	case operators.Conditional:
		return either(p.truth(args[0]), p.text(args[1]), p.text(args[2]))
	}
	return nil
}

func joined(a, b plainText) plainText {
	if a == nil || b == nil {
		return nil
	}
	return func(v *View) {
		a(v)
		b(v)
	}
}

func either(is plainTruth, then, other plainText) plainText {
	if is == nil || then == nil || other == nil {
		return nil
	}
	return func(v *View) {
		if is(v) {
			then(v)
		} else {
			other(v)
		}
	}
}

// literal returns the text that e is.
func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

// field returns the attribute of a record that is selected; nil if that is none.
func (p *planner) field(s ast.SelectExpr) *attribute {
	r := p.recordOf(s.Operand())
	if r == nil || s.IsTestOnly() {
		return nil
	}
	return r.field(s.FieldName())
}

// recordOf returns the record that e is; nil if it is none.
func (p *planner) recordOf(e ast.Expr) *record {
	if k := e.Kind(); k != ast.IdentKind && k != ast.SelectKind {
		return nil
	}
	r := recordsByType[p.ast.GetType(e.ID()).TypeName()]
	p.answered = p.answered || r == responseRecord
	return r
}

// source returns the map of texts that e is; nil if it is none.
func (p *planner) source(e ast.Expr) *source {
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == "captures" {
			return captures
		}
	case ast.SelectKind:
		if f := p.field(e.AsSelect()); f != nil {
			return f.source
		}
	}
	return nil
}

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
