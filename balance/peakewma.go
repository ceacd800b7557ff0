package balance

import (
	"math"
	"sync/atomic"
	"time"
)

// fading is the time constant of a PeakEWMA: what was seen this long ago counts
// 37 %, what was seen a minute ago 0.2 %.
const fading = 10 * time.Second

// A failed try counts as penalty times what the endpoint is taken to need, at most
// maxPenalty.
const (
	penalty    = 5
	maxPenalty = time.Minute
)

// Observations below and above these count as these: below is the grain of
// clocks, above is no latency that a choice could be made by.
const (
	minObservation = time.Microsecond
	maxObservation = time.Hour
)

// maxLeft is more than any observation has left: e to the 30th nanoseconds is three
// hours. It keeps a clock that went back from yielding nonsense.
const maxLeft = 30 * fading

// A PeakEWMA is how long an endpoint has been taking to answer lately. It rises at
// once to every peak and then fades, by a factor of e in 10 seconds, down to the
// next answer that took longer than what is left. An endpoint that has become
// slow is known to be after one answer; one that has not been used for minutes is
// not known at all.
//
// The zero value knows nothing and is ready. It may be used by several goroutines
// at once, takes no lock and allocates nothing; observations may come in any
// order. All methods are given the time now, on one monotonic clock.
type PeakEWMA struct {
	// gone is when the value will have faded to a nanosecond; 0 if there is
	// none. As all values fade alike, that one number says how large it is at
	// any time, and the larger of two is the one that is gone later.
	gone atomic.Int64
}

// Observe tells that an answer took d.
func (p *PeakEWMA) Observe(now, d time.Duration) {
	p.raise(goneBy(now, clamped(d)))
}

// ObserveFailure tells that a try failed after d. It counts as 5 times d, or 5
// times the present value if that is more, at most a minute: an endpoint never
// looks fast because it is quick to fail.
func (p *PeakEWMA) ObserveFailure(now, d time.Duration) {
	d = clamped(d)
	for {
		before := p.gone.Load()
		failed := goneBy(now, min(penalty*max(d, valueAt(now, before)), maxPenalty))
		if before != 0 && failed <= before || p.gone.CompareAndSwap(before, failed) {
			return
		}
	}
}

// Value is what the observations have come to; 0 if there were none, or none for
// so long that they say nothing any more.
func (p *PeakEWMA) Value(now time.Duration) time.Duration {
	return valueAt(now, p.gone.Load())
}

// raise makes the value one that is gone then, unless it is larger already.
func (p *PeakEWMA) raise(gone int64) {
	for {
		before := p.gone.Load()
		if before != 0 && gone <= before || p.gone.CompareAndSwap(before, gone) {
			return
		}
	}
}

// goneBy is when a value that is d now will have faded to a nanosecond.
func goneBy(now, d time.Duration) int64 {
	gone := int64(now) + int64(float64(fading)*math.Log(float64(d)))
	if gone == 0 {
		return 1
	}
	return gone
}

// valueAt is how large a value is now.
func valueAt(now time.Duration, gone int64) time.Duration {
	left := time.Duration(gone) - now
	if gone == 0 || left <= 0 {
		return 0
	}
	return time.Duration(math.Round(math.Exp(float64(min(left, maxLeft)) / float64(fading))))
}

func clamped(d time.Duration) time.Duration {
	return min(max(d, minObservation), maxObservation)
}
