package service

import "github.com/weirproxy/weir/internal/exchange"

// sequence calls one endpoint after the other, beginning with t, until one gives a
// usable response.
func (a *attempt) sequence(t *try) {
	for t != nil {
		if a.isTest(t) {
			a.raceAgainst(t)
			return
		}
		f := a.send(t)
		if f != nil {
			a.lost(t, f)
			t = a.afterFailure(f)
			continue
		}
		var next *try
		if !a.service.usable(a.x, &t.call.Response) {
			next = a.afterResponse(t)
		}
		if next == nil {
			a.relay(t)
			a.release()
			return
		}
		a.hold(t)
		t = next
	}
	a.fail()
}

// release ends the try that is held, if any: there was something better.
func (a *attempt) release() {
	if a.held != nil {
		a.service.drop(a.held)
		a.held = nil
	}
}

// first returns the first try; nil if there is no place for the request.
func (a *attempt) first() *try {
	g, ok := a.service.opts.Pool.Take(&a.query)
	if ok {
		return a.begin(g)
	}
	return a.wait()
}

// wait waits in the queue for a place.
func (a *attempt) wait() *try {
	g, f := a.service.opts.Pool.Wait(&a.query)
	if g.Member != nil {
		return a.begin(g)
	}
	switch {
	case f == nil: // all were tried
	case a.last == nil, f.Code == exchange.CodeClientGone, f.Code == exchange.CodeRequestDeadline:
		a.last = f
	}
	return nil
}

// begin makes a try of a place.
func (a *attempt) begin(g grant) *try {
	t := &a.tries[0]
	for i := range a.tries {
		if t = &a.tries[i]; t.grant.Member == nil {
			break
		}
	}
	t.x, t.grant, t.interim = a.x, g, interim{}
	a.tried = append(a.tried, g.Member)
	a.query.Tried = a.tried
	return t
}

// send does the round trip of t.
func (a *attempt) send(t *try) *exchange.Failure {
	s, x := a.service, a.x
	x.Outcome.Attempts++
	t.began = x.Start
	if x.Outcome.Attempts > 1 || a.query.Waited > 0 || len(x.Outcome.Tries) > 0 {
		t.began = exchange.Now()
	}
	if s.opts.Retry.PerTry > 0 {
		x.TryDeadline = exchange.Now() + s.opts.Retry.PerTry
	}
	if a.hasOthers() {
		t.interim = interim{to: x.Responder}
		x.Responder = &t.interim
		defer func() { x.Responder = t.interim.to }()
	}
	f := t.grant.Member.Transport.RoundTrip(x, &t.call)
	x.TryDeadline = 0
	s.judge(t, f)
	return f
}

// hasOthers reports whether the response of another endpoint may be the answer, so
// that interim responses have to wait until it is known whose is. Under Single,
// where another one is the exception, they are passed on as they come: they are
// only hints.
func (a *attempt) hasOthers() bool {
	s := a.service
	return s.opts.Strategy == Failover && a.x.Repeatable && s.opts.Pool.Available() > len(a.tried)
}

// lost ends a try without response.
func (a *attempt) lost(t *try, f *exchange.Failure) {
	a.note(t, f)
	a.last = f
	if !f.Sent {
		a.x.Outcome.Attempts--
	}
	a.service.opts.Pool.Leave(&t.grant)
}

// afterFailure returns the try that follows one without response; nil is none.
func (a *attempt) afterFailure(f *exchange.Failure) *try {
	x, s := a.x, a.service
	if !s.mayMoveOn(x, f) || x.Request.Body != nil && !x.Request.Body.Rewind() {
		return nil
	}
	if f.Sent && s.opts.Strategy == Single && x.Outcome.Attempts >= s.opts.Retry.Attempts {
		return nil
	}
	t := a.another(f.Sent && s.opts.Strategy == Single || a.unseen(f))
	if t != nil && f.Sent && s.opts.Strategy == Single && !s.mayRetry() {
		s.opts.Pool.Leave(&t.grant)
		return nil
	}
	return t
}

// afterResponse returns the try that follows t, whose response is not usable; nil
// is none, and that response is the answer.
func (a *attempt) afterResponse(t *try) *try {
	x, s := a.x, a.service
	single := s.opts.Strategy == Single
	if !x.Repeatable || x.Gone.Load() || single && x.Outcome.Attempts >= s.opts.Retry.Attempts {
		return nil
	}
	next := a.takeAnother(single)
	if next == nil {
		return nil
	}
	if single && !s.mayRetry() || x.Request.Body != nil && !(t.call.StopUpload(x) && x.Request.Body.Rewind()) {
		s.opts.Pool.Leave(&next.grant)
		return nil
	}
	return next
}

// another returns a try at another endpoint. Without a response to fall back on,
// it is worth waiting for.
func (a *attempt) another(again bool) *try {
	if a.held != nil {
		return a.takeAnother(again)
	}
	if t := a.wait(); t != nil {
		return t
	}
	return a.repeat(again)
}

// takeAnother is another for who does not wait.
func (a *attempt) takeAnother(again bool) *try {
	if g, ok := a.service.opts.Pool.Take(&a.query); ok {
		return a.begin(g)
	}
	return a.repeat(again)
}

// maxUnseen bounds how often a request goes to an endpoint again that has not looked at
// it.
const maxUnseen = 3

// unseen reports whether the request may go to the same endpoint again because of f: a
// worker that is about to move has not looked at it, and has another connection in a
// moment.
func (a *attempt) unseen(f *exchange.Failure) bool {
	if f.Sent || !f.Stale || a.unlooked >= maxUnseen {
		return false
	}
	a.unlooked++
	return true
}

// repeat returns a try at an endpoint that was tried before, the last one last.
func (a *attempt) repeat(again bool) *try {
	if !again {
		return nil
	}
	p := a.service.opts.Pool
	a.query.Tried = a.tried[len(a.tried)-1:]
	g, ok := p.Take(&a.query)
	if !ok {
		a.query.Tried = nil
		g, ok = p.Take(&a.query)
	}
	a.query.Tried = a.tried
	if !ok {
		return nil
	}
	return a.begin(g)
}
