package pool

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// QueueOptions bound the wait for a place.
type QueueOptions struct {
	// Size is how many requests may wait; 0 is none.
	Size int
	// Timeout is how long each of them may.
	Timeout time.Duration
}

// A queue is the requests that wait for a place, first come, first served.
//
// Places are taken without a lock, so a place may become free between a look for
// one and the beginning of the wait. Whoever gives a place back looks at waiting
// afterwards; whoever begins to wait raises waiting, and then looks for a place
// again. One of them sees the other.
type queue[T Transport] struct {
	waiting atomic.Int32
	// full, late and resting count the requests that were turned away.
	full, late, resting atomic.Uint64

	mu       sync.Mutex
	list     []*waiter[T]
	sweeping bool
	closed   bool
}

// A waiter is one request in the queue.
type waiter[T Transport] struct {
	query *Query[T]
	until time.Duration
	done  chan outcome[T]
}

// An outcome is how a wait ended: with a place, or with a failure.
type outcome[T Transport] struct {
	grant   Grant[T]
	failure *exchange.Failure
}

// tick is the grain of what is noticed about those who wait.
const tick = 50 * time.Millisecond

// Waiting returns how many requests wait for a place.
func (p *Pool[T]) Waiting() int { return int(p.queue.waiting.Load()) }

// Rejected returns how many requests were turned away because the queue was full,
// because no place came in time, and because every member was resting.
func (p *Pool[T]) Rejected() (full, late, resting uint64) {
	q := &p.queue
	return q.full.Load(), q.late.Load(), q.resting.Load()
}

// Wait is Take for who can wait: until a place is free, or comes. Without place
// and failure, every member that is available was tried.
func (p *Pool[T]) Wait(q *Query[T]) (Grant[T], *exchange.Failure) {
	if g, ok := p.Take(q); ok {
		return g, nil
	}
	switch p.lack(q) {
	case exhausted:
		return Grant[T]{}, nil
	case allResting:
		return Grant[T]{}, p.noEndpoint()
	}
	came := exchange.Now()
	w := &waiter[T]{query: q, until: came + p.options().Queue.Timeout, done: make(chan outcome[T], 1)}
	if f := p.enqueue(w); f != nil {
		return Grant[T]{}, f
	}
	out := <-w.done
	q.Waited += exchange.Now() - came
	return out.grant, out.failure
}

func (p *Pool[T]) enqueue(w *waiter[T]) *exchange.Failure {
	q := &p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.list) >= p.options().Queue.Size {
		q.full.Add(1)
		f := exchange.Fail(exchange.CodeQueueFull, "", nil)
		f.RetryAfter = 1
		return f
	}
	q.list = append(q.list, w)
	q.waiting.Add(1)
	p.serveLocked()
	if !q.sweeping && len(q.list) > 0 {
		q.sweeping = true
		p.background.Go(p.sweep)
	}
	return nil
}

// serveQueue gives the places that are free to those who wait.
func (p *Pool[T]) serveQueue() {
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	p.serveLocked()
}

func (p *Pool[T]) serveLocked() {
	q := &p.queue
	for i := 0; i < len(q.list); {
		w := q.list[i]
		g, ok := p.take(w.query)
		switch {
		case ok:
			q.endLocked(i, outcome[T]{grant: g})
		case len(w.query.Tried) == 0 && (w.query.Repeatable || len(p.now.Load().resting) == 0):
			return // what is not for this one is not for those behind it
		default: // another may have others left to try, or test one that rests
			i++
		}
	}
}

// endLocked ends the wait of the i-th in the queue.
func (q *queue[T]) endLocked(i int, out outcome[T]) {
	w := q.list[i]
	if i == 0 { // nearly always, and the queue may be long
		q.list[0], q.list = nil, q.list[1:]
	} else {
		q.list = slices.Delete(q.list, i, i+1)
	}
	q.waiting.Add(-1)
	w.done <- out
}

// sweep looks after those who wait, until there are none: it ends the wait of
// those whose time is over and whose client has left, and notices rests that have
// passed.
func (p *Pool[T]) sweep() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for range ticker.C {
		if !p.sweepOnce() {
			return
		}
	}
}

func (p *Pool[T]) sweepOnce() (more bool) {
	q := &p.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	p.serveLocked()
	now := exchange.Now()
	for i := 0; i < len(q.list); {
		if f := p.over(q.list[i], now); f != nil {
			q.endLocked(i, outcome[T]{failure: f})
		} else {
			i++
		}
	}
	q.sweeping = len(q.list) > 0
	return q.sweeping
}

// over returns why w need not wait any longer; nil if it has to.
func (p *Pool[T]) over(w *waiter[T], now time.Duration) *exchange.Failure {
	q := w.query
	switch {
	case q.Gone != nil && q.Gone.Load():
		return exchange.Fail(exchange.CodeClientGone, "", nil)
	case q.Deadline > 0 && now >= q.Deadline:
		return exchange.Fail(exchange.CodeRequestDeadline, "while waiting for an endpoint", nil)
	case now >= w.until:
		p.queue.late.Add(1)
		f := exchange.Fail(exchange.CodeQueueTimeout, "", nil)
		f.RetryAfter = 1
		return f
	case p.lack(q) == allResting:
		return p.noEndpoint()
	default:
		return nil
	}
}

// close turns away who waits, and who comes.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for len(q.list) > 0 {
		q.endLocked(0, outcome[T]{failure: exchange.Fail(exchange.CodeNoEndpoint, "shutting down", nil)})
	}
}
