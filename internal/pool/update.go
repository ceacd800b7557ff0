package pool

import (
	"context"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
)

// Update makes endpoints, all of them, the pool's. Those that were there before,
// by name and address, keep their state and their connections; reach makes the way
// to each that is new. Those that are left out get no new requests, finish what
// they have, and are returned. Who waits in the queue sees those that have come.
//
// Those whose names are in drained get nothing new from the beginning.
func (p *Pool[T]) Update(endpoints []endpoint.Endpoint, drained map[string]bool, reach func(endpoint.Endpoint) T) (left []*Member[T]) {
	first := Up
	if p.rules().slowStart > 0 && len(p.Members()) > 0 { // where there is none, nobody else could take over
		first = Warming
	}
	left = p.update(endpoints, drained, reach, first)
	p.serveQueue()
	return left
}

// Limit makes n the number of requests that a member is sent at once, 0 being none
// for the time being; requests that it has beyond that go on.
func (p *Pool[T]) Limit(m *Member[T], n int) {
	if n <= 0 {
		n = noPlaces
	}
	m.limit.Store(int64(n))
	if p.queue.waiting.Load() > 0 {
		p.serveQueue()
	}
}

// update is Update; first is the condition of those that are new.
func (p *Pool[T]) update(endpoints []endpoint.Endpoint, drained map[string]bool, reach func(endpoint.Endpoint) T, first Condition) (left []*Member[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := make(map[string]*Member[T], len(p.Members()))
	for _, m := range p.Members() {
		known[m.Endpoint.Name] = m
	}
	members := make([]*Member[T], len(endpoints))
	for i, e := range endpoints {
		m := known[e.Name]
		if m == nil || m.Endpoint.Address != e.Address {
			m = p.newMember(e, reach(e), first)
			if drained[e.Name] {
				p.drainLocked(m)
			}
		} else {
			delete(known, e.Name)
		}
		m.describe(e, i)
		members[i] = m
	}
	for _, m := range p.Members() {
		if known[m.Endpoint.Name] == m {
			m.open.Store(false)
			m.leave()
			left = append(left, m)
		}
	}
	p.members.Store(&members)
	p.publishLocked()
	return left
}

// drainLocked drains a member that nobody knows yet.
func (p *Pool[T]) drainLocked(m *Member[T]) {
	s := p.rules().drain(m.State(), exchange.Now(), true)
	m.state.Store(&s)
}

// newMember returns a member that is new in the pool, and begins to look after it.
func (p *Pool[T]) newMember(e endpoint.Endpoint, reach T, first Condition) *Member[T] {
	now := exchange.Now()
	m := &Member[T]{Endpoint: e, Transport: reach, rested: make(chan struct{}, 1)}
	m.ctx, m.leave = context.WithCancel(p.ctx)
	s := &State{Condition: first, Since: now}
	if first == Warming {
		s.warm = now
		p.goLocked(func() { p.warmUp(m, now) })
	}
	m.state.Store(s)
	p.checkLocked(m)
	return m
}
