package weir

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/shape"
)

// This file says in the terms of package shape what a configuration says of steps and
// expressions, and places in the file what is wrong with them.

// A shaper compiles the expressions of one configuration.
type shaper struct {
	found    *problems
	compiler func() *shape.Compiler
}

// newCompiler returns a compiler. It takes some milliseconds, so that it is made when
// there is something to compile.
func newCompiler() *shape.Compiler {
	c, err := shape.New(shape.Options{})
	if err != nil {
		panic("weir: " + err.Error()) // it depends on nothing
	}
	return c
}

// expression compiles the expression that stands at path; nil if it is empty, or wrong.
// It reads no content: who evaluates it cannot wait for that.
func (s *shaper) expression(path, text string, side shape.Side, want shape.Kind) *shape.Expression {
	if text == "" {
		return nil
	}
	e, err := s.compiler().Expression(text, side, want)
	switch {
	case err != nil:
		s.wrong(err, written{path, text})
		return nil
	case e.Reads(shape.RequestSide) || e.Reads(shape.ResponseSide):
		s.found.add(path, errors.New("content cannot be read here, only in steps"))
		return nil
	}
	return e
}

// wrong notes what is wrong with an expression.
func (s *shaper) wrong(err error, at written) {
	var e *shape.Error
	if !errors.As(err, &e) || e.Offset < 0 {
		message := err.Error()
		if e != nil {
			message = e.Message
		}
		s.found.add(at.path, errors.New(message))
		return
	}
	before := at.text[:min(e.Offset, len(at.text))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	s.found.list = append(s.found.list, s.found.cfg.AtInside(at.path, line, column, e.Message))
}

// A written text is one that stands in the file.
type written struct{ path, text string }

// steps compiles the steps of the route at path; nil if there are none, or if they are
// wrong.
func (s *shaper) steps(r config.Route, path string) *shape.Program {
	if len(r.Request)+len(r.Response) == 0 {
		return nil
	}
	places := stepPlaces{}
	request := places.list(r.Request, "request", config.Below(path, "request"))
	response := places.list(r.Response, "response", config.Below(path, "response"))
	program, err := s.compiler().Steps(request, response, r.OnError == "fail")
	if err == nil {
		return program
	}
	for _, one := range joined(err) {
		var e *shape.Error
		if !errors.As(one, &e) {
			s.found.add(path, one)
			continue
		}
		at, known := places[e.Path]
		if !known {
			at.path = path + "." + e.Path
		}
		s.wrong(&shape.Error{Offset: e.Offset, Message: e.Message}, at)
	}
	return nil
}

// stepPlaces are the places of what stands in steps, by the paths that package shape
// has for it.
type stepPlaces map[string]written

func (p stepPlaces) list(steps []config.Step, shaped, path string) (list []shape.Step) {
	for i, c := range steps {
		index := fmt.Sprintf("[%d]", i)
		list = append(list, p.step(c, shaped+index, path+index))
	}
	return list
}

func (p stepPlaces) step(c config.Step, shaped, path string) shape.Step {
	s := shape.Step{
		If:     p.text(c.If, shaped, path, "if"),
		Let:    p.named(c.Let, shaped, path, "let"),
		Set:    p.named(c.Set, shaped, path, "set"),
		Add:    p.named(c.Add, shaped, path, "add"),
		Append: p.named(c.Append, shaped, path, "append"),
		Remove: p.names(c.Remove, shaped, path),
		Route:  p.text(c.Route, shaped, path, "route"),
		Then:   p.list(c.Then, shaped+".then", config.Below(path, "then")),
		Else:   p.list(c.Else, shaped+".else", config.Below(path, "else")),
		Errors: c.Errors,
	}
	if j := c.JSON; j != nil {
		at, below := shaped+".json", config.Below(path, "json")
		s.JSON = &shape.JSON{Set: p.named(j.Set, at, below, "set"), Merge: p.named(j.Merge, at, below, "merge"), Remove: p.names(j.Remove, at, below)}
	}
	if r := c.Rewrite; r != nil {
		at, below := shaped+".rewrite", config.Below(path, "rewrite")
		s.Rewrite = &shape.Rewrite{
			Path: p.text(r.Path, at, below, "path"), Query: p.text(r.Query, at, below, "query"),
			Host: p.text(r.Host, at, below, "host"), Method: p.text(r.Method, at, below, "method"),
		}
	}
	p.answers(&s, c, shaped, path)
	p[shaped] = written{path: path}
	return s
}

func (p stepPlaces) answers(s *shape.Step, c config.Step, shaped, path string) {
	if r := c.Respond; r != nil {
		at, below := shaped+".respond", config.Below(path, "respond")
		s.Respond = &shape.Respond{
			Status: p.text(r.Status, at, below, "status"), Body: p.text(r.Body, at, below, "body"),
			ContentType: p.text(r.ContentType, at, below, "content_type"), Headers: p.named(r.Headers, at, below, "headers"),
		}
	}
	if r := c.Redirect; r != nil {
		at, below := shaped+".redirect", config.Below(path, "redirect")
		s.Redirect = &shape.Redirect{To: p.text(r.To, at, below, "to"), Status: p.text(r.Status, at, below, "status")}
	}
}

// text notes the place of one expression.
func (p stepPlaces) text(text, shaped, path, key string) string {
	p[shaped+"."+key] = written{config.Below(path, key), text}
	return text
}

// named notes the places of expressions with names.
func (p stepPlaces) named(list config.Expressions, shaped, path, key string) (all []shape.Named) {
	for _, e := range list {
		p[shaped+"."+key+"."+e.Name] = written{config.Below(config.Below(path, key), e.Name), e.Value}
		all = append(all, shape.Named{Name: e.Name, Expr: e.Value})
	}
	return all
}

// names notes the places of names that are taken away.
func (p stepPlaces) names(list []string, shaped, path string) []string {
	for i, name := range list {
		p[shaped+".remove."+name] = written{path: fmt.Sprintf("%s[%d]", config.Below(path, "remove"), i)}
	}
	return list
}
