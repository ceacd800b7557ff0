package shape

import (
	"errors"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Program is the steps of a route, compiled. It is safe for concurrent use with
// different Views.
type Program struct {
	compiler          *Compiler
	request, response []step
	lets              []string
	failClosed        bool
	errors            bool // some step is for responses that Weir makes
	reads             [sides]bool
	skipped           [reasons]atomic.Uint64
}

// A step is a Step, compiled.
type step struct {
	path        string
	cond        *Expression // nil: always
	actions     []action
	then, other []step
	errors      bool
}

// An action is one thing that a step does. An error means that it did nothing,
// and is of type *EvalError, or a *exchange.Failure that ends the exchange.
type action interface {
	apply(v *View) error
}

// A Verdict is what becomes of a request after its steps. The zero value is that
// it goes on as it would have without them.
type Verdict struct {
	// Response is the answer, if there is one already.
	Response *exchange.Response
	// Service is where the request goes instead, if not empty; Version may be
	// empty.
	Service, Version string
}

// Counts says how many steps were skipped since the program was made, by reason.
type Counts [reasons]uint64

// Of returns the count of one reason.
func (c Counts) Of(r Reason) uint64 { return c[r] }

// Total returns how many were skipped in all.
func (c Counts) Total() (n uint64) {
	for _, count := range c {
		n += count
	}
	return n
}

// Skipped returns how many steps were skipped.
func (p *Program) Skipped() (c Counts) {
	for r := range c {
		c[r] = p.skipped[r].Load()
	}
	return c
}

// Reads reports whether some step may read the content of that side. If none
// does, content streams.
func (p *Program) Reads(side Side) bool { return p.reads[side] }

// HasRequest and HasResponse report whether there are steps of that side, and
// HasErrors whether some are for responses that Weir makes.
func (p *Program) HasRequest() bool  { return len(p.request) > 0 }
func (p *Program) HasResponse() bool { return len(p.response) > 0 }
func (p *Program) HasErrors() bool   { return p.errors }

// Request does the steps of the request. They may wait for its content.
//
// An error is a *exchange.Failure if the client has failed meanwhile. If the
// program fails closed, it is an *EvalError as soon as an expression fails; what
// was changed before stays changed.
func (p *Program) Request(v *View) (Verdict, error) {
	v.begin(p, RequestSide)
	err := p.run(v, p.request, false)
	return v.verdict, err
}

// Response does the steps of the response to a response of an endpoint. They may
// wait for its content. Errors are as with Request.
func (p *Program) Response(v *View, resp *exchange.Response) error {
	return p.respond(v, resp, false)
}

// OwnResponse does those steps that are for responses that Weir makes.
func (p *Program) OwnResponse(v *View, resp *exchange.Response) error {
	if !p.errors {
		return nil
	}
	return p.respond(v, resp, true)
}

func (p *Program) respond(v *View, resp *exchange.Response, own bool) error {
	v.SetResponse(resp)
	v.begin(p, ResponseSide)
	return p.run(v, p.response, own)
}

// run does steps, one after the other. One that fails does not keep the next from
// being done, unless the program fails closed.
func (p *Program) run(v *View, steps []step, own bool) error {
	for i := range steps {
		s := &steps[i]
		if own && !s.errors {
			continue
		}
		if err := p.do(v, s); err != nil {
			return err
		}
		if v.stopped {
			return nil
		}
	}
	return nil
}

// do does one step.
func (p *Program) do(v *View, s *step) error {
	branch := s.then
	if s.cond != nil {
		holds, err := s.cond.Bool(v)
		switch {
		case err != nil:
			return p.skip(v, s, err)
		case !holds:
			return p.run(v, s.other, false)
		}
	}
	for _, a := range s.actions {
		if err := a.apply(v); err != nil {
			return p.skip(v, s, err)
		}
		if v.stopped {
			return nil
		}
	}
	return p.run(v, branch, false)
}

// skip counts a step that failed, and returns what ends the exchange, if that does.
func (p *Program) skip(v *View, s *step, err error) error {
	if v.failure != nil {
		return v.failure
	}
	reason := SkippedError
	var e *EvalError
	if errors.As(err, &e) {
		reason = e.Reason
	}
	p.skipped[reason].Add(1)
	if p.failClosed && (reason == SkippedError || reason == SkippedCost) {
		return &EvalError{Path: s.path, Reason: reason, Err: err}
	}
	return nil
}
