package worker

import (
	"errors"
	"math/rand/v2"
	"time"
)

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 10 * time.Second
	// stableAfter is how long a connection must have been attached to start again
	// from the shortest wait.
	stableAfter = 10 * time.Second
	// maxRetryAfter bounds how long a router can ask to be left alone.
	maxRetryAfter = time.Minute
)

// A backoff is how long to wait until the next try: somewhere between nothing and
// a bound that doubles each time ("full jitter"), so that workers who have lost a
// router at the same moment do not come back at the same moment. The zero value
// has not waited yet.
type backoff struct{ bound time.Duration }

// next returns how long to wait after what went wrong; nil if nothing did.
func (b *backoff) next(err error) time.Duration {
	b.bound = min(max(2*b.bound, minBackoff), maxBackoff)
	wait := rand.N(b.bound) + 1
	var r *Refusal
	if !errors.As(err, &r) {
		return wait
	}
	if r.lasting() { // only people can change that
		wait = maxBackoff/2 + rand.N(maxBackoff/2) + 1
	}
	if r.RetryAfter > 0 {
		wait += min(r.RetryAfter, maxRetryAfter)
	}
	return wait
}

func (b *backoff) reset() { b.bound = 0 }
