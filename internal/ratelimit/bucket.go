package ratelimit

import (
	"math/bits"
	"time"
)

// A bucket is what a key may still do. Its level is in shares: a token is as many
// shares as there are nanoseconds in the period, and a nanosecond gains as many as
// there are tokens in a period. So no division rounds, whatever the rate.
type bucket struct {
	level int64
	at    time.Duration // when the level was that
}

// A rate is how buckets fill, in shares.
type rate struct {
	token, full int64 // what a request takes, and what a bucket holds
	gain        int64 // a nanosecond
}

// fill adds what the bucket has gained. A moment before the last one, as
// concurrent requests may come, adds nothing.
func (r *rate) fill(b *bucket, now time.Duration) {
	passed := now - b.at
	if passed <= 0 {
		return
	}
	b.at = now
	high, gained := bits.Mul64(uint64(passed), uint64(r.gain))
	if high > 0 || gained >= uint64(r.full-b.level) {
		b.level = r.full
		return
	}
	b.level += int64(gained)
}

// take takes a token, or returns how long it takes until there is one.
func (r *rate) take(b *bucket, now time.Duration) (wait time.Duration) {
	r.fill(b, now)
	if b.level >= r.token {
		b.level -= r.token
		return 0
	}
	missing := r.token - b.level
	return time.Duration((missing-1)/r.gain + 1)
}
