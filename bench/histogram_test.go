package main

import (
	"testing"
	"time"
)

func TestHistogram_QuantilesAreWithinABucket(t *testing.T) {
	var h histogram
	for i := 1; i <= 10000; i++ {
		h.record(time.Duration(i) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{
		0.5: 5000 * time.Microsecond, 0.99: 9900 * time.Microsecond, 1: 10000 * time.Microsecond,
	} {
		got := h.quantile(q)
		if got < want || float64(got) > float64(want)*1.017+float64(time.Microsecond) {
			t.Errorf("quantile %v = %v, want %v or up to 1.6%% more", q, got, want)
		}
	}
}

func TestHistogram_BucketsMeet(t *testing.T) {
	for bucket := range len(histogram{}.counts) - 1 {
		top := bucketTop(bucket)
		if bucketOf(top) != bucket || bucketOf(top+1) != bucket+1 {
			t.Fatalf("bucket %d should end at %v: that falls into %d, the next into %d", bucket, top, bucketOf(top), bucketOf(top+1))
		}
	}
}

func TestHistogram_EdgesAreSafe(t *testing.T) {
	var h histogram
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("an empty histogram has a p99 of %v", got)
	}
	h.record(-time.Second)
	h.record(1<<63 - 1)
	if h.total != 2 {
		t.Errorf("%d values were recorded, want 2", h.total)
	}
}
