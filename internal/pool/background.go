package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// redial looks, at the end of each rest, whether the member can be connected to
// again, until it can or somebody else is to find out.
func (p *Pool[T]) redial(m *Member[T]) {
	for {
		s := m.State()
		if !s.resting || !s.By.dials() || !sleep(m.ctx, jittered(s.Until-exchange.Now())) {
			return
		}
		ctx, cancel := context.WithTimeout(m.ctx, p.options().ProbeTimeout)
		err := m.Transport.Probe(ctx)
		cancel()
		switch {
		case m.ctx.Err() != nil:
			return
		case err == nil:
			p.change(m, p.rules().dialed)
			return
		default:
			p.change(m, func(s State, now time.Duration) State {
				return p.rules().setBack(s, now, Setback{Err: err, Unreachable: true}, true)
			})
		}
	}
}

// jittered adds up to a tenth, so that many routers do not dial in step.
func jittered(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/10+1)
}

// warmSteps is in how many steps a slow start goes.
const warmSteps = 10

// warmUp gives a member more and more of its share, until the slow start that
// began at start is over or has given way to something else.
func (p *Pool[T]) warmUp(m *Member[T], start time.Duration) {
	for range warmSteps {
		if !sleep(m.ctx, p.options().SlowStart/warmSteps) {
			return
		}
		p.mu.Lock()
		going := m.state.Load().warm == start
		if going {
			p.publishLocked()
		}
		p.mu.Unlock()
		if !going {
			return
		}
	}
	p.change(m, func(s State, now time.Duration) State {
		if s.warm != start {
			return s
		}
		return p.rules().warmed(s, now)
	})
}

// CheckOptions configure the health checks.
type CheckOptions[T Transport] struct {
	// Check tells what is wrong with an endpoint; nil if nothing is. A failed
	// dial wraps an *exchange.Failure.
	Check func(ctx context.Context, t T) error
	// Interval is the time between two checks of one endpoint, Timeout bounds
	// one.
	Interval, Timeout time.Duration
	// Rise checks in a row have to pass to make an unhealthy member healthy,
	// Fall to fail to make it unhealthy.
	Rise, Fall int
}

// watch checks the health of a member again and again, and at the end of each of
// its rests. The first check comes at random within an interval, so that those of
// many endpoints spread. It ends with ctx.
func (p *Pool[T]) watch(ctx context.Context, m *Member[T], o *CheckOptions[T]) {
	for wait := rand.N(o.Interval); awaitCheck(ctx, m, wait); {
		limited, cancel := context.WithTimeout(ctx, o.Timeout)
		err := o.Check(limited, m.Transport)
		cancel()
		if ctx.Err() != nil {
			return
		}
		p.change(m, func(s State, now time.Duration) State {
			return p.rules().check(s, now, err, unreachable(err))
		})
		wait = o.Interval - o.Interval/10 + rand.N(o.Interval/5+1)
	}
}

// awaitCheck waits until it is time for the next check of a member, or until its
// rest is over; false when ctx ends.
func awaitCheck[T Transport](ctx context.Context, m *Member[T], wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return true
		case <-m.rested:
			s := m.State()
			t.Reset(jittered(s.Until - exchange.Now()))
		case <-ctx.Done():
			return false
		}
	}
}

// unreachable reports whether err says that no connection could be opened.
func unreachable(err error) bool {
	var f *exchange.Failure
	return errors.As(err, &f) && f.Code.IsDial()
}

// sleep waits for d and reports whether it did; false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
