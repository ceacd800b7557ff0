package service

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// Buckets are as wide as an eighth of what they hold, from 8 µs to more than an
// hour.
const (
	subBits      = 3
	powers       = 30
	latencyCells = (powers + 1) << subBits
)

const (
	// epochLength is how long the present epoch of a percentiles lasts. What
	// is asked for counts over it and the one before.
	epochLength = 10 * time.Second
	// freshness is how old an answer may be.
	freshness = 100 * time.Millisecond
	// enough is how many durations make a percentile worth anything.
	enough = 20
)

// percentiles tells how long something has been taking lately. The zero value is
// ready for use; it is safe for concurrent use.
type percentiles struct {
	epochs  [2][latencyCells]atomic.Uint32
	present atomic.Uint32

	mu      sync.Mutex
	turned  time.Duration // when the present epoch began
	known   time.Duration // when answer was worked out
	answer  time.Duration
	answers bool
}

// record notes one duration.
func (p *percentiles) record(d time.Duration) {
	p.epochs[p.present.Load()&1][cellOf(d)].Add(1)
}

// of returns the duration that percentile percent of those lately did not exceed;
// false as long as too few are known.
func (p *percentiles) of(percentile float64) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := exchange.Now()
	if p.known > 0 && now-p.known < freshness {
		return p.answer, p.answers
	}
	p.turnLocked(now)
	p.known = now
	p.answer, p.answers = p.rankLocked(percentile)
	return p.answer, p.answers
}

// turnLocked begins a new epoch in the place of the one before the present one.
func (p *percentiles) turnLocked(now time.Duration) {
	if p.turned == 0 {
		p.turned = now
	}
	if now-p.turned < epochLength {
		return
	}
	p.turned = now
	next := (p.present.Load() + 1) & 1
	for i := range p.epochs[next] {
		p.epochs[next][i].Store(0)
	}
	p.present.Store(next)
}

func (p *percentiles) rankLocked(percentile float64) (time.Duration, bool) {
	var counts [latencyCells]uint64
	total := uint64(0)
	for i := range counts {
		counts[i] = uint64(p.epochs[0][i].Load()) + uint64(p.epochs[1][i].Load())
		total += counts[i]
	}
	if total < enough {
		return 0, false
	}
	rank, seen := uint64(float64(total)*percentile/100), uint64(0)
	for i, n := range counts {
		seen += n
		if seen > rank {
			return upperEnd(i), true
		}
	}
	return upperEnd(latencyCells - 1), true
}

// cellOf returns the bucket of a duration: its power of two, in microseconds, and
// the three bits below the first.
func cellOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	power := bits.Len64(us >> subBits)
	if power == 0 {
		return int(us)
	}
	return min(power<<subBits+int(us>>(power-1))&(1<<subBits-1), latencyCells-1)
}

// upperEnd returns the least duration beyond a bucket.
func upperEnd(cell int) time.Duration {
	next := uint64(cell + 1)
	power, rest := next>>subBits, next&(1<<subBits-1)
	if power == 0 {
		return time.Duration(rest) * time.Microsecond
	}
	return time.Duration((rest|1<<subBits)<<(power-1)) * time.Microsecond
}
