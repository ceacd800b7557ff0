package etcd

import (
	"context"
	"math/rand/v2"
	"time"
)

// The bounds of a pause between two attempts to reach a registry: what changed while
// it was away is to be known seconds after it is back.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// pauses are the waits between attempts: at random up to a bound that doubles, so
// that many routers do not come back at once.
type pauses struct{ attempt int }

// wait waits before the next attempt; it returns false when ctx is over.
func (p *pauses) wait(ctx context.Context) bool {
	bound := min(lastPause, firstPause<<min(p.attempt, 16))
	p.attempt++
	select {
	case <-time.After(rand.N(bound) + time.Millisecond):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// reset begins anew with short ones.
func (p *pauses) reset() { p.attempt = 0 }

// jitter returns a time of about d: a quarter more or less.
func jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}
