package registry

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

// Pauses are the waits between attempts: at random up to a bound that doubles, so
// that many routers do not come back at once. The zero value is ready.
type Pauses struct{ attempt int }

// Next returns the time until the next attempt.
func (p *Pauses) Next() time.Duration {
	bound := min(lastPause, firstPause<<min(p.attempt, 16))
	p.attempt++
	return rand.N(bound) + time.Millisecond
}

// Wait waits before the next attempt; it returns false when ctx is over.
func (p *Pauses) Wait(ctx context.Context) bool {
	select {
	case <-time.After(p.Next()):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Reset begins anew with short ones.
func (p *Pauses) Reset() { p.attempt = 0 }

// Jitter returns a time of about d: a quarter more or less.
func Jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}
