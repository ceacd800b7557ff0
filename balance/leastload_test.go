package balance

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func TestLeastLoad_ComparesWhatWaitsThere(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    []Target
		c      *state
		shares []int // of the picks; 1 and 1 are halves
	}{
		{"by requests under way", equal(2), &state{inFlight: []int{1, 0}}, []int{0, 1}},
		{"by latency", equal(2), &state{latency: []time.Duration{3 * ms, 2 * ms}}, []int{0, 1}},
		{"by their product", equal(2), &state{latency: []time.Duration{ms, 10 * ms}, inFlight: []int{8, 0}}, []int{1, 0}},
		{"by their product, the other way", equal(2), &state{latency: []time.Duration{ms, 10 * ms}, inFlight: []int{10, 0}}, []int{0, 1}},
		{"for each unit of weight", weighted(3, 1), &state{inFlight: []int{4, 1}}, []int{1, 0}},
		{"for each unit of weight, the other way", weighted(3, 1), &state{inFlight: []int{6, 1}}, []int{0, 1}},
		{"equal ones by chance", equal(3), busy(), []int{1, 1, 1}},
		{"only those that are free", equal(3), &state{busy: map[int]bool{0: true}, inFlight: []int{0, 9, 2}}, []int{0, 0, 1}},
		{"an unknown one as the known one", equal(2), &state{latency: []time.Duration{7 * ms, 0}}, []int{1, 1}},
		{"an unknown one that has more to do", equal(2), &state{latency: []time.Duration{7 * ms, 0}, inFlight: []int{0, 1}}, []int{1, 0}},
		{"an unknown one as the fastest known", equal(3), &state{latency: []time.Duration{9 * ms, 0, ms}}, []int{0, 1, 1}},
		{"an unknown one as the fastest known, which comes first", equal(3), &state{latency: []time.Duration{ms, 0, 9 * ms}}, []int{1, 1, 0}},
		{"unknown ones by requests", equal(2), &state{inFlight: []int{2, 1}}, []int{0, 1}},
		{"the only one", equal(1), &state{latency: []time.Duration{9 * ms}}, []int{1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newLeastLoad(test.set, seeded())
			share(t, test.name, count(t, p, test.c, len(test.set), 4000), test.shares)
		})
	}
}

func TestLeastLoad_ComparesTwoOfMany(t *testing.T) {
	const n = 10
	c := &state{latency: make([]time.Duration, n)}
	for i := range n {
		c.latency[i] = time.Duration(i+1) * ms
	}
	// Of all pairs, the fastest is in 9, the next one in 8 without it, and so
	// on; the slowest wins none.
	shares := []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	share(t, "of ten", count(t, newLeastLoad(equal(n), seeded()), c, n, 100_000), shares)
}

func TestLeastLoad_DrawsThoseItComparesByWeight(t *testing.T) {
	// Each of three light ones has as much to do, for its weight, as the heavy
	// one; so chance alone decides, and favours the heavy one.
	c := &state{inFlight: []int{5, 0, 0, 0}}
	counts := count(t, newLeastLoad(weighted(6, 1, 1, 1), seeded()), c, 4, 20_000)
	if counts[0] < 9_000 {
		t.Errorf("an endpoint of six times the weight is picked %d times in 20000, the others %v", counts[0], counts[1:])
	}
}

// However few are free among many, the busiest of them is not picked, and if there
// are two the better one is.
func TestLeastLoad_ChoosesWellAmongFewFree(t *testing.T) {
	for _, set := range [][]Target{equal(100), weighted(append(make([]int, 99), 5000)...)} {
		c := allBut(100, 7, 50, 51)
		c.latency = make([]time.Duration, 100)
		for i := range c.latency {
			c.latency[i] = 10 * ms
		}
		c.latency[50] = time.Second
		counts := count(t, newLeastLoad(set, seeded()), c, 100, 2000)
		if counts[50] != 0 {
			t.Errorf("of three free endpoints the one that is 100 times slower is picked %d times in 2000", counts[50])
		}
		c.busy[7] = true
		counts = count(t, newLeastLoad(set, seeded()), c, 100, 2000)
		if counts[51] != 2000 {
			t.Errorf("of two free endpoints the better one is picked %d times in 2000", counts[51])
		}
		c.busy[51] = true
		counts = count(t, newLeastLoad(set, seeded()), c, 100, 100)
		if counts[50] != 100 {
			t.Errorf("the only free endpoint is picked %d times in 100", counts[50])
		}
		c.busy[50] = true
		if got := newLeastLoad(set, seeded()).Pick(c); got != -1 {
			t.Errorf("endpoint %d is picked, although none is free", got)
		}
	}
}
