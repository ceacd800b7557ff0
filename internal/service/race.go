package service

import (
	"slices"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A race is tries for one request that run at the same time. It belongs to the
// goroutine that serves the request; each branch runs on one of its own, and comes
// back over arrived.
type race struct {
	*attempt
	arrived  chan *branch
	running  []*branch
	launched int // tries that count as such
	// another is when one more endpoint is asked; nil if none is to be.
	another *time.Timer
	// testing: the first branch finds out whether its endpoint's rest is over.
	testing bool
}

// race serves the request by asking several endpoints; its content is loaded.
func (a *attempt) race() {
	t := a.first()
	if t == nil {
		a.fail()
		return
	}
	r := a.newRace()
	r.launch(t)
	if a.service.opts.Strategy == Fanout {
		for r.launchNext() {
		}
	} else {
		r.wait(a.service.hedgeAfter())
	}
	r.decide()
}

func (a *attempt) newRace() *race { return &race{attempt: a, arrived: make(chan *branch, 1)} }

// decide waits for the winner and has it answer.
func (r *race) decide() {
	winner := r.run()
	if r.another != nil {
		r.another.Stop()
	}
	if winner != nil {
		r.finish(winner)
	} else {
		r.fail()
	}
}

// launch starts a branch at the place of t.
func (r *race) launch(t *try) {
	b := &branch{x: *t.x}
	b.try.x, b.grant, t.grant = &b.x, t.grant, grant{}
	b.x.Responder = &b.interim
	b.x.Outcome = exchange.Outcome{Attempts: 1}
	b.x.Continued, b.x.Scratch = true, nil
	if body := b.x.Request.Body; body != nil {
		b.x.Request.Body = body.Fork()
	}
	b.call.Stop = &b.stop
	r.running = append(r.running, b)
	r.launched++
	r.attempt.x.Outcome.Attempts++
	go func() {
		b.run(r.service)
		r.arrived <- b
	}()
}

// launchNext starts a branch at an endpoint that was not tried; false if there is
// no place.
func (r *race) launchNext() bool {
	g, ok := r.service.opts.Pool.Take(&r.query)
	if ok {
		r.launch(r.attempt.begin(g))
	}
	return ok
}

// hedgeAfter is how long an answer is waited for before one more endpoint is
// asked.
func (s *Service) hedgeAfter() time.Duration {
	h := &s.opts.Hedge
	if h.After > 0 {
		return h.After
	}
	if after, known := s.heads.of(h.Percentile); known {
		return after
	}
	return time.Hour // too little is known, and nothing lasts that long unnoticed
}

// wait begins the wait after which one more endpoint is asked.
func (r *race) wait(after time.Duration) {
	if r.another == nil {
		r.another = time.NewTimer(after)
	} else {
		r.another.Reset(after)
	}
}

// run waits for the first usable response, and returns the branch that has it; nil
// if none has.
func (r *race) run() *branch {
	var hedge <-chan time.Time
	if r.another != nil {
		hedge = r.another.C
	}
	for len(r.running) > 0 {
		select {
		case b := <-r.arrived:
			r.remove(b)
			if r.won(b) {
				return b
			}
		case <-hedge:
			r.hedge()
		}
	}
	return nil
}

func (r *race) remove(b *branch) {
	i := slices.Index(r.running, b)
	r.running = slices.Delete(r.running, i, i+1)
}

// won reports whether b has a usable response. If not, somebody else may be asked
// in its place.
func (r *race) won(b *branch) bool {
	a, s := r.attempt, r.service
	if b.failure == nil {
		if s.usable(&b.x, &b.call.Response) {
			return true
		}
		a.hold(&b.try)
		r.replace(true)
		return false
	}
	a.lost(&b.try, b.failure)
	if s.mayMoveOn(a.x, b.failure) {
		r.replace(b.failure.Sent)
	}
	return false
}

// replace asks somebody in the place of a branch that has failed; sent tells
// whether it counts. All that can be asked by a fan-out were asked already, but
// one that could not be reached may have been the only one with a place.
func (r *race) replace(sent bool) {
	if sent && !r.mayReplace() {
		return
	}
	if !sent {
		r.launched--
	}
	if r.launchNext() || len(r.running) > 0 || r.held != nil {
		return
	}
	if t := r.attempt.wait(); t != nil {
		r.launch(t)
	}
}

// mayReplace reports whether one more try of the strategy is allowed after one
// that was sent.
func (r *race) mayReplace() bool {
	s := r.service
	switch s.opts.Strategy {
	case Single:
		return r.launched < s.opts.Retry.Attempts && s.mayRetry()
	case Hedge:
		return r.launched < max(s.opts.Retry.Attempts, s.opts.Hedge.Max)
	default:
		return s.opts.Strategy == Failover
	}
}

// hedge asks one more endpoint because no answer has come for so long.
func (r *race) hedge() {
	s := r.service
	switch {
	case r.attempt.x.Gone.Load():
	case r.testing:
		r.launchNext()
	case len(r.running) < s.opts.Hedge.Max && s.mayHedge() && r.launchNext():
		s.hedged.Add(1)
		r.wait(s.hedgeAfter())
	}
}

// finish passes the winner's answer on, while the others are told to stop. They
// have stopped when it returns: they use the request's memory.
func (r *race) finish(winner *branch) {
	a := r.attempt
	losers := r.stopOthers()
	a.relay(&winner.try)
	a.release()
	if losers != nil {
		a.x.Outcome.Tries = append(a.x.Outcome.Tries, <-losers...)
	}
}

// stopOthers stops the branches that are still running, and returns where they are
// accounted for once they have stopped; nil if there are none. Their places are
// given back as they stop, however long the winner takes.
func (r *race) stopOthers() <-chan []exchange.Try {
	if len(r.running) == 0 {
		return nil
	}
	for _, b := range r.running {
		b.stop.Stop()
	}
	done := make(chan []exchange.Try, 1)
	go func() {
		var tries []exchange.Try
		for range r.running {
			b := <-r.arrived
			tries = append(tries, b.account(b.failure))
			r.endLoser(b)
		}
		done <- tries
	}()
	return done
}
