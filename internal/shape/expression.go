package shape

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// An Expression is compiled, and safe for concurrent use with different Views.
type Expression struct {
	compiler *Compiler
	text     string
	typ      *types.Type
	constant ref.Val          // what it always is, if that is known
	program  cel.Program      // if it is not
	plain    *plainExpression // what does the same, if it is that simple
	reads    [sides]bool      // whose content it reads
}

// Kind is what an expression has to give.
type Kind uint8

// The kinds.
const (
	// Any: any value; see Expression.AppendJSON.
	Any Kind = iota
	// Bool: true or false.
	Bool
	// Text: a text, or what has one form as a text: a number or a bool.
	Text
	// Int: a whole number.
	Int
)

// Expression compiles one expression for exchanges that have a response, or have
// none yet. An error is of type *Error.
func (c *Compiler) Expression(text string, scope Side, want Kind) (*Expression, error) {
	e, err := c.compile(c.envs[scope], text, wanted[want])
	if err != nil {
		return nil, err
	}
	return e, nil
}

// compile compiles a text whose value somebody wants.
func (c *Compiler) compile(env *cel.Env, text string, w want) (*Expression, *Error) {
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, advise(env, text, issues)
	}
	e := &Expression{compiler: c, text: text, typ: checked.OutputType()}
	if !w.takes(e.typ) {
		return nil, &Error{Message: fmt.Sprintf("%s wants %s; this is %s", w.what, w.list, describe(e.typ))}
	}
	facts := study(checked.NativeRep())
	if facts.captures {
		return nil, &Error{Message: `captures can only be read by name, as captures.name or captures["name"]`}
	}
	e.reads = facts.reads
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(bound(c.maxContent, c.format))}
	if facts.linear {
		e.plain = plainOf(checked.NativeRep())
		options = append(options, cel.CustomDecoratorV2(flatten))
	} else {
		options = append(options, cel.CostTracking(costs{}), cel.CostLimit(c.costLimit))
	}
	program, err := env.Program(checked, options...)
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	e.program = program
	if facts.fixed {
		return e, e.fix(w)
	}
	return e, nil
}

// fix evaluates an expression that has the same value for every exchange.
func (e *Expression) fix(w want) *Error {
	val, err := e.eval(&View{compiler: e.compiler})
	if err == nil && w.check != nil {
		err = w.check(val)
	}
	if err != nil {
		return &Error{Message: "this fails always: " + err.Error()}
	}
	e.constant, e.program, e.plain = val, nil, nil
	return nil
}

// Reads reports whether the expression reads the content of that side, which has
// to arrive before it has a value.
func (e *Expression) Reads(side Side) bool { return e.reads[side] }

// eval evaluates e. The value may refer to v. An error is of type *EvalError, or
// the *exchange.Failure because of which there is no content.
func (e *Expression) eval(v *View) (ref.Val, error) {
	if e.constant != nil {
		return e.constant, nil
	}
	v.compiler = e.compiler
	val, _, err := e.program.Eval(v)
	switch {
	case v.failure != nil:
		return nil, v.failure
	case err != nil:
		return nil, evalError(err)
	}
	return val, nil
}

func evalError(err error) error {
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded {
		return &EvalError{Reason: SkippedCost, Err: errCost}
	}
	return &EvalError{Reason: SkippedError, Err: err}
}

var errCost = errors.New("the evaluation costs more than the limit")

// Bool evaluates an expression of kind Bool. What an error means is the caller's
// to say.
func (e *Expression) Bool(v *View) (bool, error) {
	if truth, ok := e.truthOf(v); ok {
		return truth, nil
	}
	val, err := e.eval(v)
	if err != nil {
		return false, err
	}
	b, ok := val.(types.Bool)
	if !ok {
		return false, unusable("this is %s, not true or false", describe(val.Type()))
	}
	return bool(b), nil
}

// Int evaluates an expression of kind Int.
func (e *Expression) Int(v *View) (int64, error) {
	val, err := e.eval(v)
	if err != nil {
		return 0, err
	}
	return intOf(val)
}

// AppendText appends the value of an expression of kind Text.
func (e *Expression) AppendText(dst []byte, v *View) ([]byte, error) {
	if text, ok := e.textOf(v); ok {
		return append(dst, text...), nil
	}
	val, err := e.eval(v)
	if err != nil {
		return dst, err
	}
	return appendText(dst, val)
}

// AppendJSON appends the value of an expression of any kind as JSON.
func (e *Expression) AppendJSON(dst []byte, v *View) ([]byte, error) {
	val, err := e.eval(v)
	if err != nil {
		return dst, err
	}
	return appendJSON(dst, val, e.compiler.maxContent)
}
