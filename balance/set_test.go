package balance

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A state is what a test lets pickers see. All endpoints are free, idle and
// unknown unless it says otherwise.
type state struct {
	busy     map[int]bool
	inFlight []int
	latency  []time.Duration
	key      uint64
	keyed    bool
	asked    []int // how often each endpoint was asked whether it is free, if not nil
}

func (s *state) Free(i int) bool {
	if s.asked != nil {
		s.asked[i]++
	}
	return !s.busy[i]
}

func (s *state) InFlight(i int) int {
	if s.inFlight == nil {
		return 0
	}
	return s.inFlight[i]
}

func (s *state) Latency(i int) time.Duration {
	if s.latency == nil {
		return 0
	}
	return s.latency[i]
}

func (s *state) Key() (uint64, bool) { return s.key, s.keyed }

// busy returns a state in which these endpoints are not free.
func busy(places ...int) *state {
	s := &state{busy: map[int]bool{}}
	for _, i := range places {
		s.busy[i] = true
	}
	return s
}

// allBut returns a state in which, of n endpoints, only these are free.
func allBut(n int, places ...int) *state {
	s := busy()
	for i := range n {
		s.busy[i] = true
	}
	for _, i := range places {
		delete(s.busy, i)
	}
	return s
}

// weighted returns a set of endpoints of these weights, named e0, e1, ….
func weighted(weights ...int) []Target {
	set := make([]Target, len(weights))
	for i, w := range weights {
		set[i] = Target{Name: fmt.Sprintf("e%d", i), Weight: w}
	}
	return set
}

// equal returns a set of n endpoints of weight 1.
func equal(n int) []Target {
	set := weighted(make([]int, n)...)
	for i := range set {
		set[i].Weight = 1
	}
	return set
}

// picks is what a picker picks n times in a row.
func picks(p Picker, c Candidates, n int) []int {
	got := make([]int, n)
	for i := range got {
		got[i] = p.Pick(c)
	}
	return got
}

// count is how often each of size endpoints is picked in n times. It fails the
// test if none is.
func count(t *testing.T, p Picker, c Candidates, size, n int) []int {
	t.Helper()
	counts := make([]int, size)
	for range n {
		i := p.Pick(c)
		if i < 0 {
			t.Fatal("no endpoint was picked, although some are free")
		}
		counts[i]++
	}
	return counts
}

// seeded returns a source of random numbers that is the same in every run.
func seeded() func() uint64 { return rand.New(rand.NewPCG(1, 2)).Uint64 }

// share fails the test if an endpoint does not get its share of the picks, which
// are given in parts of the sum of shares, within a tenth.
func share(t *testing.T, what string, counts, shares []int) {
	t.Helper()
	picks, parts := sum(counts), sum(shares)
	for i, n := range counts {
		want := float64(picks) * float64(shares[i]) / float64(parts)
		if float64(n) < 0.9*want || float64(n) > 1.1*want {
			t.Errorf("%s: endpoint %d is picked %d times in %d, want about %.0f", what, i, n, picks, want)
		}
	}
}
