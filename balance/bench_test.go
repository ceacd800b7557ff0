package balance

import (
	"testing"
	"time"
)

func BenchmarkRoundRobin_Pick(b *testing.B) {
	r, c := NewRoundRobin(weighted(5, 1, 1), nil), &state{}
	for b.Loop() {
		r.Pick(c)
	}
}

func BenchmarkPeakEWMA_Observe(b *testing.B) {
	var p PeakEWMA
	now := time.Duration(0)
	for b.Loop() {
		now += time.Millisecond
		p.Observe(now, 10*time.Millisecond)
	}
}

func BenchmarkPeakEWMA_Value(b *testing.B) {
	var p PeakEWMA
	p.Observe(0, time.Second)
	for b.Loop() {
		p.Value(time.Second)
	}
}

// BenchmarkPolicy_Pick is a pick among ten endpoints that are all free and have
// requests under way.
func BenchmarkPolicy_Pick(b *testing.B) {
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			policy, _ := Named(name)
			p, c := policy(weighted(3, 1, 1, 1, 1, 1, 1, 1, 1, 2), nil), loaded(10)
			for b.Loop() {
				c.key += golden
				p.Pick(c)
			}
		})
	}
}

// BenchmarkPolicy_Build is what it takes to make a picker for a large set.
func BenchmarkPolicy_Build(b *testing.B) {
	set := equal(10_000)
	for i := range set {
		set[i].Weight = 1 + i%3
	}
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			policy, _ := Named(name)
			for b.Loop() {
				policy(set, nil)
			}
		})
	}
}
