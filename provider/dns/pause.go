package dns

import (
	"math/rand/v2"
	"time"
)

// The bounds of a pause between two attempts while DNS does not answer: what changed
// meanwhile is to be known seconds after it is back.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// pauses are the waits between attempts: at random up to a bound that doubles, so that
// many routers do not come back at once.
type pauses struct{ attempt int }

// next is the time until the next attempt.
func (p *pauses) next() time.Duration {
	bound := min(lastPause, firstPause<<min(p.attempt, 16))
	p.attempt++
	return rand.N(bound) + time.Millisecond
}

// reset begins anew with short ones.
func (p *pauses) reset() { p.attempt = 0 }

// later returns a time that is up to a tenth longer: never shorter, for an answer that
// has not expired yet would be given again.
func later(d time.Duration) time.Duration { return d + rand.N(d/10+1) }
