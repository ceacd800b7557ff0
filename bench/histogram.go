package main

import (
	"math/bits"
	"time"
)

// precision is the number of buckets in each power of two: 64 of them keep a percentile
// within 1.6% of the truth.
const precision = 64

// histogram counts durations in buckets whose width grows with the value, like HDR
// histograms do: constant memory, no allocation to record.
type histogram struct {
	counts [40 * precision]uint32
	total  uint64
}

func (h *histogram) record(d time.Duration) {
	h.counts[bucketOf(d)]++
	h.total++
}

func bucketOf(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < precision {
		return int(n)
	}
	shift := bits.Len64(n) - bits.Len64(precision) // of the top bits that tell buckets apart
	return min((shift+1)*precision+int(n>>shift)-precision, len(histogram{}.counts)-1)
}

// bucketTop is the largest duration that falls into a bucket.
func bucketTop(bucket int) time.Duration {
	if bucket < precision {
		return time.Duration(bucket)
	}
	shift := bucket/precision - 1
	return time.Duration((uint64(bucket%precision+precision+1) << shift) - 1)
}

// quantile is the duration that a share q of the recorded ones does not exceed, rounded up
// to its bucket's end; 0 if nothing was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.total)), uint64(0)
	for bucket, n := range h.counts {
		seen += uint64(n)
		if n > 0 && (seen > rank || seen == h.total) {
			return bucketTop(bucket)
		}
	}
	return 0
}
