package observe

import (
	"sync/atomic"
	"time"
)

// serviceTotal is the sum of a service's cells.
type serviceTotal struct {
	durations, waits                     histogram
	retries, requestBytes, responseBytes uint64
}

func (t *serviceTotal) add(cell *serviceCell) {
	t.durations.add(durationBounds[:], cell.durations[:], &cell.nanoseconds)
	t.waits.add(waitBounds[:], cell.waits[:], &cell.waitNanoseconds)
	t.retries += cell.retries.Load()
	t.requestBytes += cell.requestBytes.Load()
	t.responseBytes += cell.responseBytes.Load()
}

// A histogram is the sum of the buckets that lanes counted.
type histogram struct {
	bounds      []time.Duration
	counts      []uint64 // one a bound, and one beyond
	nanoseconds uint64   // added up exactly: lanes are in no order
}

func (h *histogram) add(bounds []time.Duration, counts []atomic.Uint64, nanoseconds *atomic.Uint64) {
	if h.counts == nil {
		h.bounds, h.counts = bounds, make([]uint64, len(counts))
	}
	for i := range counts {
		h.counts[i] += counts[i].Load()
	}
	h.nanoseconds += nanoseconds.Load()
}

// count returns how many were counted. It is the sum of the buckets, because a
// counter of its own could be read a moment later and not fit them.
func (h *histogram) count() (n uint64) {
	for _, c := range h.counts {
		n += c
	}
	return n
}

// cumulative returns the counts the way Prometheus has them: each with those
// below it, by the upper bound in seconds, and without the last one, which is the
// count.
func (h *histogram) cumulative() map[float64]uint64 {
	counts := make(map[float64]uint64, len(h.bounds))
	var below uint64
	for i, bound := range h.bounds {
		below += h.counts[i]
		counts[bound.Seconds()] = below
	}
	return counts
}
