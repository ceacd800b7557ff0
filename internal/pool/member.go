package pool

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/endpoint"
)

// A Transport takes requests to one endpoint.
type Transport interface {
	// Probe reports whether a connection to the endpoint can be opened. It may
	// keep that connection for the next request.
	Probe(ctx context.Context) error
}

// A Member is one endpoint in a pool, with what is known of it. T is how it is
// reached.
type Member[T Transport] struct {
	// Endpoint is the endpoint as it was announced first: its name and address
	// never change.
	Endpoint  endpoint.Endpoint
	Transport T

	// ctx ends when the member leaves the pool.
	ctx   context.Context
	leave context.CancelFunc
	// uncheck ends its health checks; nil if there are none. The pool guards it.
	uncheck context.CancelFunc
	// place, weight and limit are what was announced last. A limit of 0 is
	// none, noPlaces is no place at all.
	place, weight, limit atomic.Int64

	state atomic.Pointer[State]
	// open: it is given requests. Always what the state says, for who reads
	// only that.
	open atomic.Bool
	// probing: a live request is finding out whether its rest is over.
	probing atomic.Bool
	// rests counts how often it was made to rest, failures what counted against it.
	rests, failures atomic.Uint64
	// rested tells who checks its health that a rest has begun.
	rested  chan struct{}
	latency balance.PeakEWMA

	// inFlight counts the requests that it is serving. It changes with every
	// request, so it stands apart from what does not.
	_        [64]byte
	inFlight atomic.Int64
	_        [56]byte
}

// State returns what is known of the member.
func (m *Member[T]) State() State { return *m.state.Load() }

// Probing reports whether a live request is finding out whether its rest is over.
func (m *Member[T]) Probing() bool { return m.probing.Load() }

// Index returns its place in the service's list, as it was announced.
func (m *Member[T]) Index() int { return int(m.place.Load()) }

// Weight returns its share relative to the others.
func (m *Member[T]) Weight() int { return int(m.weight.Load()) }

// Concurrency returns how many requests it is sent at once; 0 is as many as come.
func (m *Member[T]) Concurrency() int { return int(max(0, m.limit.Load())) }

// noPlaces is the limit of a member that is sent nothing for the time being.
const noPlaces = -1

// describe takes over what was announced of the endpoint, besides name and
// address.
func (m *Member[T]) describe(e endpoint.Endpoint, place int) {
	m.place.Store(int64(place))
	m.weight.Store(int64(max(1, e.Weight)))
	m.limit.Store(int64(max(noPlaces, e.Concurrency)))
}

// Rests returns how often it was made to rest.
func (m *Member[T]) Rests() uint64 { return m.rests.Load() }

// Failures returns how many requests of it have failed in a way that counts.
func (m *Member[T]) Failures() uint64 { return m.failures.Load() }

// InFlight returns how many requests it is serving.
func (m *Member[T]) InFlight() int { return int(m.inFlight.Load()) }

// enter takes one of the member's places; false if there is none left.
func (m *Member[T]) enter() bool {
	limit := m.limit.Load()
	if limit == 0 {
		m.inFlight.Add(1)
		return true
	}
	for {
		n := m.inFlight.Load()
		if n >= limit {
			return false
		}
		if m.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// closed reports whether it is sent nothing for the time being. Most likely it is
// about to leave, and another one to come.
func (m *Member[T]) closed() bool { return m.limit.Load() == noPlaces }

// full reports whether all its places are taken.
func (m *Member[T]) full() bool {
	limit := m.limit.Load()
	return limit != 0 && m.inFlight.Load() >= limit
}

// due reports whether its rest has passed and a live request may find out.
func (m *Member[T]) due(now time.Duration) (overdue time.Duration, ok bool) {
	s := m.state.Load()
	if s.Condition != Resting || s.By != ByRequest || now < s.Until || m.probing.Load() {
		return 0, false
	}
	return now - s.Until, true
}
