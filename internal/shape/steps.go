package shape

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
)

// Steps compiles the steps of a route. If failClosed is true, an expression that
// fails at run time ends the exchange instead of having its step skipped. The
// error is what is wrong with all of them, joined, each of type *Error.
func (c *Compiler) Steps(request, response []Step, failClosed bool) (*Program, error) {
	p := &Program{compiler: c, failClosed: failClosed}
	b := &builder{compiler: c, program: p}
	outermost := &scope{side: RequestSide, env: c.envs[RequestSide]}
	p.request = b.list(outermost, "request", request)
	// What the request's steps have named, the response's steps know too.
	p.response = b.list(b.carryOver(outermost), "response", response)
	for _, s := range p.response {
		p.errors = p.errors || s.errors
	}
	if len(b.problems) > 0 {
		return nil, errors.Join(b.problems...)
	}
	return p, nil
}

// A builder compiles the steps of one program.
type builder struct {
	compiler *Compiler
	program  *Program
	problems []error
}

// A scope is what expressions at one place know.
type scope struct {
	side  Side
	env   *cel.Env
	names []named
}

// named is a name that a let has given, in the order in which they were.
type named struct {
	name string
	typ  *cel.Type
}

// inner returns a scope for steps within a step: what they name ends with them.
func (s *scope) inner() *scope {
	return &scope{side: s.side, env: s.env, names: slices.Clone(s.names)}
}

func (b *builder) problem(err *Error) { b.problems = append(b.problems, err) }

// carryOver returns the scope of the response's steps.
func (b *builder) carryOver(request *scope) *scope {
	response := &scope{side: ResponseSide, env: b.compiler.envs[ResponseSide]}
	for _, n := range request.names {
		b.declare(response, n.name, n.typ)
	}
	return response
}

// declare makes a name known to later expressions.
func (b *builder) declare(s *scope, name string, typ *cel.Type) {
	env, err := s.env.Extend(cel.Variable(name, typ))
	if err != nil {
		b.problem(notAbout("", "%s: %v", name, err)) // cannot be: the name was checked
		return
	}
	s.env, s.names = env, append(s.names, named{name, typ})
}

// list compiles a list of steps.
func (b *builder) list(s *scope, path string, steps []Step) []step {
	var all []step
	for i := range steps {
		all = append(all, b.step(s, fmt.Sprintf("%s[%d]", path, i), &steps[i]))
	}
	return all
}

// step compiles one step. What a step names that is done under a condition ends
// with it.
func (b *builder) step(s *scope, path string, in *Step) step {
	out := step{path: path, errors: in.Errors}
	if in.Errors && s.side == RequestSide {
		b.problem(notAbout(path+".errors", "errors is for steps of responses"))
	}
	if in.If != "" {
		out.cond = b.expression(s, path+".if", in.If, want{what: "if", list: "true or false", kinds: wanted[Bool].kinds})
		s = s.inner()
	} else if len(in.Then)+len(in.Else) > 0 {
		b.problem(notAbout(path, "then and else need an if"))
	}
	outer := s
	b.lets(s, path, in.Let, &out)
	b.fields(s, path, in, &out)
	b.json(s, path, in.JSON, &out)
	b.requestOnly(s, path, in, &out)
	b.answers(s, path, in, &out)
	if len(out.actions)+len(in.Then)+len(in.Else) == 0 && !b.failedAt(path) {
		b.problem(notAbout(path, "this step does nothing: give it let, set, add, append, remove, json, rewrite, respond, redirect, route, or an if with then or else"))
	}
	out.then = b.list(s.inner(), path+".then", in.Then)
	out.other = b.list(outer.inner(), path+".else", in.Else)
	return out
}

// failedAt reports whether something within a path is wrong already.
func (b *builder) failedAt(path string) bool {
	return slices.ContainsFunc(b.problems, func(err error) bool {
		e, ok := err.(*Error)
		return ok && len(e.Path) > len(path) && e.Path[:len(path)] == path
	})
}

// expression compiles one expression; nil if it is wrong.
func (b *builder) expression(s *scope, path, text string, w want) *Expression {
	e, err := b.compiler.compile(s.env, text, w)
	if err != nil {
		err.Path = path
		if s.side == RequestSide {
			explainSide(err, text)
		}
		b.problem(err)
		return nil
	}
	for side, reads := range e.reads {
		b.program.reads[side] = b.program.reads[side] || reads
	}
	return e
}

// optional compiles an expression that need not be there.
func (b *builder) optional(s *scope, path, text string, w want) *Expression {
	if text == "" {
		return nil
	}
	return b.expression(s, path, text, w)
}
