package pool

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Query is what one request asks of a pool. It is used by one goroutine at a
// time. It implements balance.Candidates.
type Query[T Transport] struct {
	// Tried are the members that are passed over.
	Tried []*Member[T]
	// Repeatable: the request may be sent again, so it may find out whether a
	// rest is over.
	Repeatable bool
	// Place is a hash of what the request is to be placed by, if Placed.
	Place  uint64
	Placed bool
	// Prefer is the member that gets the request if it can; nil is any.
	Prefer *Member[T]
	// Gone tells when nobody waits for the answer any more; nil is never.
	Gone *atomic.Bool
	// Deadline is when an answer would come too late, on the clock of
	// exchange.Now; 0 is never.
	Deadline time.Duration
	// Waited is how long the request has stood in the queue.
	Waited time.Duration

	// admitted: the request has passed the service's limit; counted: that counts
	// it.
	admitted, counted bool
	// set is what the picker was made for.
	set []*Member[T]
}

// Free implements balance.Candidates.
func (q *Query[T]) Free(i int) bool {
	m := q.set[i]
	return m.open.Load() && !m.full() && !q.tried(m)
}

// InFlight implements balance.Candidates.
func (q *Query[T]) InFlight(i int) int { return q.set[i].InFlight() }

// Latency implements balance.Candidates.
func (q *Query[T]) Latency(i int) time.Duration { return q.set[i].latency.Value(exchange.Now()) }

// Key implements balance.Candidates.
func (q *Query[T]) Key() (uint64, bool) { return q.Place, q.Placed }

func (q *Query[T]) tried(m *Member[T]) bool {
	return len(q.Tried) > 0 && slices.Contains(q.Tried, m)
}

// triedMember reports whether any of those that were tried is still a member. Who
// has left since may be back under another name: that is worth waiting for.
func (q *Query[T]) triedMember() bool {
	return slices.ContainsFunc(q.Tried, func(m *Member[T]) bool { return m.ctx.Err() == nil })
}
