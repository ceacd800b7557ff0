package service

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// isTest reports whether t is to find out whether its endpoint's rest is over,
// for a request that others can serve if it is not.
func (a *attempt) isTest(t *try) bool {
	return t.grant.Probe && a.query.Repeatable && len(a.x.Request.Upgrade) == 0 && a.service.opts.Pool.Available() > 0
}

// testAfter is how long the answer of an endpoint that is being tested is waited
// for before another one is asked as well: an endpoint that is frozen accepts
// connections, and nobody should have to wait for it as long as a response may
// take.
const testAfter = time.Second

// raceAgainst serves the request at t, whose endpoint is being tested, and at
// another one if there is no answer soon.
func (a *attempt) raceAgainst(t *try) {
	r := a.newRace()
	r.testing = true
	r.launch(t)
	r.wait(testAfter)
	r.decide()
}

// endLoser ends a branch that has stopped.
func (r *race) endLoser(b *branch) {
	s := r.service
	if b.failure == nil { // it was a little late
		s.drop(&b.try)
		return
	}
	// An endpoint that was being tested, and had not answered when another one
	// that was asked later had, is not well yet.
	if r.testing && b.grant.Probe && b.failure.Code == exchange.CodeCancelled && s.opts.Failing.Timeout {
		s.opts.Pool.Failed(&b.grant, setback(exchange.Fail(exchange.CodeResponseTimeout, "another endpoint was faster", nil)))
	}
	s.opts.Pool.Leave(&b.grant)
}
