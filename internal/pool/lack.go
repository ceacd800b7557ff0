package pool

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A lack is why there is no place for a request.
type lack uint8

const (
	// busy: waiting helps. A limit is reached, others wait already, all that
	// rest are worth waiting for, or there is no member yet.
	busy lack = iota
	// exhausted: every member that is available was tried, and takes requests.
	exhausted
	// allResting: no member is available, and nobody waits for that to change.
	allResting
)

func (p *Pool[T]) lack(q *Query[T]) lack {
	open, untried, resting, paused := 0, 0, 0, 0
	for _, m := range p.Members() {
		c := m.state.Load().Condition
		switch {
		case m.closed() && (!m.open.Load() || q.tried(m)):
			paused++ // it has nothing for this request, and will most likely be gone in a moment
		case m.open.Load():
			open++
			if !q.tried(m) {
				untried++
			}
		case c == Resting || c == Unhealthy:
			resting++
		}
	}
	switch {
	case untried > 0:
		return busy
	case open > 0, paused == 0 && q.triedMember():
		return exhausted
	case resting > 0 && !p.options().Rest.Pause:
		return allResting
	default:
		return busy
	}
}

// noEndpoint is the failure of a request that finds every member resting.
func (p *Pool[T]) noEndpoint() *exchange.Failure {
	p.queue.resting.Add(1)
	f := exchange.Fail(exchange.CodeNoEndpoint, "", nil)
	f.RetryAfter = p.retryAfter()
	return f
}

// retryAfter is when the next rest is over, in seconds from now, at least 1.
func (p *Pool[T]) retryAfter() int {
	now := exchange.Now()
	next := time.Duration(-1)
	for _, m := range p.Members() {
		s := m.state.Load()
		left := max(0, s.Until-now)
		if s.Condition == Unhealthy {
			left = p.options().Check.Interval
		}
		if !s.Condition.Available() && s.Condition != Draining && (next < 0 || left < next) {
			next = left
		}
	}
	return max(1, int((next+time.Second-1)/time.Second))
}
