package pool

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Grant is a place at a member, until Leave.
type Grant[T Transport] struct {
	Member *Member[T]
	// Probe: the request finds out whether the member's rest is over.
	Probe bool
}

// Take returns a place at a member that has one free now; false if there is none,
// or if others wait for it. It takes no lock and allocates nothing.
func (p *Pool[T]) Take(q *Query[T]) (Grant[T], bool) {
	if !q.admitted && p.queue.waiting.Load() > 0 {
		return Grant[T]{}, false
	}
	return p.take(q)
}

// Leave gives a place back.
func (p *Pool[T]) Leave(g *Grant[T]) {
	p.unprobe(g)
	g.Member.inFlight.Add(-1)
	g.Member = nil
	if p.queue.waiting.Load() > 0 {
		p.serveQueue()
	}
}

// Dismiss ends the request of q: it is not counted against the service's limit
// any more.
func (p *Pool[T]) Dismiss(q *Query[T]) {
	if !q.admitted {
		return
	}
	if p.dismiss(q) && p.queue.waiting.Load() > 0 {
		p.serveQueue()
	}
}

// dismiss takes back what admit did; freed tells whether somebody else may come in
// its place.
func (p *Pool[T]) dismiss(q *Query[T]) (freed bool) {
	freed = q.counted
	q.admitted, q.counted = false, false
	if freed {
		p.serving.Add(-1)
	}
	return freed
}

// Observe notes how long a member took to answer, or to fail.
func (p *Pool[T]) Observe(m *Member[T], took time.Duration, failed bool) {
	if !p.options().Measured {
		return
	}
	if failed {
		m.latency.ObserveFailure(exchange.Now(), took)
	} else {
		m.latency.Observe(exchange.Now(), took)
	}
}

// take is Take for who does not have to queue.
func (p *Pool[T]) take(q *Query[T]) (Grant[T], bool) {
	newcomer := !q.admitted
	if newcomer && !p.admit(q) {
		return Grant[T]{}, false
	}
	g, ok := p.choose(q)
	if !ok && newcomer {
		p.dismiss(q)
	}
	return g, ok
}

// admit counts the request against the service's limit; false if that is reached.
func (p *Pool[T]) admit(q *Query[T]) bool {
	q.admitted = true
	limit := int64(p.options().Concurrency)
	if limit <= 0 {
		return true
	}
	for {
		n := p.serving.Load()
		if n >= limit {
			q.admitted = false
			return false
		}
		if p.serving.CompareAndSwap(n, n+1) {
			q.counted = true
			return true
		}
	}
}

// choose takes a place: at the member that is preferred, at one whose rest may be
// over, or at the one that the policy picks.
func (p *Pool[T]) choose(q *Query[T]) (Grant[T], bool) {
	if m := q.Prefer; m != nil && m.open.Load() && !q.tried(m) && m.enter() {
		return Grant[T]{Member: m}, true
	}
	s := p.now.Load()
	if len(s.resting) > 0 {
		if g, ok := p.probe(s, q); ok {
			return g, true
		}
	}
	if s.picker == nil {
		return Grant[T]{}, false
	}
	q.set = s.members
	for range len(s.members) + 1 { // somebody else may be faster at the last place
		i := s.picker.Pick(q)
		if i < 0 {
			break
		}
		if m := s.members[i]; m.enter() {
			return Grant[T]{Member: m}, true
		}
	}
	return Grant[T]{}, false
}

// patience is for how long after a rest a request that can be repeated is waited
// for, to find out whether it is over. After that any request will do: there may
// be no others.
const patience = time.Second

// probe takes a place at a member whose rest has passed, if this is the request to
// find out. One request at a time does.
func (p *Pool[T]) probe(s *snapshot[T], q *Query[T]) (Grant[T], bool) {
	now := exchange.Now()
	for _, m := range s.resting {
		overdue, due := m.due(now)
		if !due || q.tried(m) || !q.Repeatable && s.open > 0 && overdue < patience {
			continue
		}
		if !m.probing.CompareAndSwap(false, true) {
			continue
		}
		// Whoever was probing until a moment ago may have changed the state.
		if st := m.state.Load(); st.Condition == Resting && st.By == ByRequest && now >= st.Until && m.enter() {
			return Grant[T]{Member: m, Probe: true}, true
		}
		m.probing.Store(false)
	}
	return Grant[T]{}, false
}
