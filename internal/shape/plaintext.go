package shape

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

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
