package shape

import (
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// facts is what is known of an expression before it runs.
type facts struct {
	// fixed: it has the same value for every exchange.
	fixed bool
	// linear: whatever its input, it takes time and memory in proportion to it.
	// No cost is counted then, which takes more than most evaluations.
	linear bool
	// captures: the captures are used as a whole.
	captures bool
	// reads tells whose content is read.
	reads [sides]bool

	plus, nodes, captured int
}

// maxPlus bounds how often a linear expression joins, maxNodes its size: each of
// them may go through all of its input.
const (
	maxPlus  = 16
	maxNodes = 200
)

// study looks at every part of an expression.
func study(a *ast.AST) facts {
	f := facts{fixed: true, linear: true}
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) { f.visit(a, e) }))
	f.captures = f.captured > 0
	f.linear = f.linear && f.plus <= maxPlus && f.nodes <= maxNodes
	return f
}

func (f *facts) visit(a *ast.AST, e ast.Expr) {
	f.nodes++
	switch e.Kind() {
	case ast.IdentKind:
		f.ident(a, e)
	case ast.SelectKind:
		f.selects(a, e.AsSelect())
	case ast.CallKind:
		f.call(a, e.AsCall())
	case ast.ComprehensionKind, ast.StructKind:
		f.linear = false
	}
}

// ident looks at a name. In a comprehension it may be one of its own.
func (f *facts) ident(a *ast.AST, e ast.Expr) {
	r, known := a.ReferenceMap()[e.ID()]
	name := e.AsIdent()
	if known && r.Name != "" {
		name = r.Name
	}
	if name == "captures" {
		f.captured++
	}
	if name != "hostname" && a.GetType(e.ID()).Kind() != types.TypeKind {
		f.fixed = false
	}
}

func (f *facts) selects(a *ast.AST, s ast.SelectExpr) {
	if isCaptures(s.Operand()) {
		f.captured--
	}
	if s.FieldName() != "body" {
		return
	}
	switch a.GetType(s.Operand().ID()).TypeName() {
	case requestRecord.typ.TypeName():
		f.reads[RequestSide] = true
	case responseRecord.typ.TypeName():
		f.reads[ResponseSide] = true
	}
}

func isCaptures(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "captures" }

func (f *facts) call(_ *ast.AST, c ast.CallExpr) {
	name, args := c.FunctionName(), c.Args()
	switch {
	case name == operators.Index && isCaptures(args[0]), name == operators.In && isCaptures(args[1]):
		f.captured--
	case name == operators.Add:
		f.plus++
	case name == "matches":
		f.linear = f.linear && len(args) > 0 && args[len(args)-1].Kind() == ast.LiteralKind
		return
	}
	f.linear = f.linear && linearCalls[name]
}

// linearCalls are the functions that go through their input once at most, and
// give no more than they got.
var linearCalls = map[string]bool{
	operators.LogicalAnd: true, operators.LogicalOr: true, operators.LogicalNot: true, operators.Conditional: true,
	operators.Equals: true, operators.NotEquals: true, operators.In: true, operators.Index: true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true,
	operators.Add: true, operators.Subtract: true, operators.Multiply: true, operators.Divide: true,
	operators.Modulo: true, operators.Negate: true,
	"size": true, "startsWith": true, "endsWith": true, "contains": true,
	"lowerAscii": true, "upperAscii": true, "trim": true, "substring": true,
	"string": true, "int": true, "uint": true, "double": true, "bool": true, "dyn": true, "type": true,
	"inCIDR": true, "hash": true, "percent_encode": true, "percent_decode": true,
}
