package shape

import "github.com/google/cel-go/common/ast"

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
