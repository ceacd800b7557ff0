package balance

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestRoundRobin_TakesEqualEndpointsInOrder(t *testing.T) {
	got := picks(NewRoundRobin(equal(3), nil), busy(), 9)
	if want := []int{0, 1, 2, 0, 1, 2, 0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("nine picks of three endpoints are %v, want %v", got, want)
	}
}

func TestRoundRobin_SpreadsWeightsSmoothly(t *testing.T) {
	got := picks(NewRoundRobin(weighted(5, 1, 1), nil), busy(), 7)
	if want := []int{0, 0, 1, 0, 2, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("one round of weights 5, 1, 1 is %v, want %v", got, want)
	}
}

func TestRoundRobin_CountsAWeightBelowOneAsOne(t *testing.T) {
	got := picks(NewRoundRobin(weighted(0, -7, 2), nil), busy(), 4)
	slices.Sort(got)
	if want := []int{0, 1, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("one round of weights 0, -7, 2 has the turns %v, want %v", got, want)
	}
}

func TestRoundRobin_ReducesWeightsToTheirShares(t *testing.T) {
	r := NewRoundRobin(weighted(1000, 500), nil).(*roundRobin)
	if got := len(r.turns); got != 3 {
		t.Errorf("a round of weights 1000 and 500 has %d turns, want 3", got)
	}
	r = NewRoundRobin(weighted(7, 7, 7), nil).(*roundRobin)
	if r.turns != nil {
		t.Errorf("equal weights need no table, got one of %d turns", len(r.turns))
	}
}

func TestRoundRobin_BoundsTheRoundAndForgetsNobody(t *testing.T) {
	set := equal(2000)
	for i := range set {
		set[i].Weight = 1 + i%997
	}
	r := NewRoundRobin(set, nil).(*roundRobin)
	if len(r.turns) > maxTurns+len(set) {
		t.Fatalf("the round has %d turns", len(r.turns))
	}
	counts := count(t, r, busy(), len(set), len(r.turns))
	if i := slices.Index(counts, 0); i >= 0 {
		t.Errorf("endpoint %d of weight %d never gets a turn", i, set[i].Weight)
	}
}

// Rounds that are too long to be laid out perfectly are still even: at any time
// an endpoint has had its share of the turns, give or take one or two.
func TestRoundRobin_SpreadsLongRoundsEvenly(t *testing.T) {
	set := equal(2000)
	for i := range 10 {
		set[i*200].Weight = 500
	}
	r := NewRoundRobin(set, nil).(*roundRobin)
	if work := len(r.turns) * len(set); work <= maxWork {
		t.Fatalf("the round is laid out in %d steps, too few for this test", work)
	}
	heavy := reduced(weightsOf(set))[0]
	got := 0
	for turn := range r.turns {
		if r.Pick(busy()) == 0 {
			got++
		}
		due := float64(turn+1) * float64(heavy) / float64(len(r.turns))
		if off := float64(got) - due; off < -2 || off > 2 {
			t.Fatalf("after %d turns the endpoint of weight 500 has had %d, want %.1f or 2 more or less", turn+1, got, due)
		}
	}
}

func TestRoundRobin_GoesOnWhereThePickerBeforeItWas(t *testing.T) {
	var turn atomic.Uint64
	NewRoundRobin(equal(3), &turn).Pick(busy())
	if got := NewRoundRobin(equal(3), &turn).Pick(busy()); got != 1 {
		t.Errorf("the second picker begins at %d, want 1", got)
	}
}

func TestRoundRobin_PassesOverWhoIsNotFree(t *testing.T) {
	for _, test := range []struct {
		name string
		set  []Target
		c    *state
		want []int
	}{
		{"the first of three", equal(3), busy(0), []int{1, 2, 1, 2, 1, 2}},
		{"two neighbours of four", equal(4), busy(1, 2), []int{0, 3, 0, 3, 0, 3}},
		{"all but one of twenty", equal(20), allBut(20, 12), []int{12, 12, 12}},
		{"the heaviest", weighted(5, 1, 1), busy(0), []int{1, 2, 1, 2, 1, 2}},
		{"a light one", weighted(3, 1), busy(1), []int{0, 0, 0, 0}},
		{"all of them", equal(3), busy(0, 1, 2), []int{-1, -1}},
		{"all of different weights", weighted(3, 2, 1), busy(0, 1, 2), []int{-1, -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := picks(NewRoundRobin(test.set, nil), test.c, len(test.want))
			if !slices.Equal(got, test.want) {
				t.Errorf("the picks are %v, want %v", got, test.want)
			}
		})
	}
}

func TestRoundRobin_AsksWhoIsBusyOnce(t *testing.T) {
	for _, set := range [][]Target{equal(6), weighted(50, 1, 1)} {
		c := busy(0)
		c.asked = make([]int, len(set))
		if NewRoundRobin(set, nil).Pick(c); c.asked[0] != 1 {
			t.Errorf("of %d endpoints the busy one, whose turn it is, is asked %d times whether it is free", len(set), c.asked[0])
		}
	}
}

// A set in which one endpoint of ten thousand is free, and rounds are long, is the
// most that a pick has to look through.
func TestRoundRobin_LooksForTheOnlyFreeOneNoLongerThanNeeded(t *testing.T) {
	set := equal(10_000)
	for _, weight := range []int{1, 1000} {
		set[0].Weight = weight
		c := allBut(len(set), 4999)
		c.asked = make([]int, len(set))
		if got := NewRoundRobin(set, nil).Pick(c); got != 4999 {
			t.Fatalf("with a first weight of %d, endpoint %d is picked, want the only free one, 4999", weight, got)
		}
		if asked := sum(c.asked); asked > len(set)+maxPassed {
			t.Errorf("with a first weight of %d, %d questions were asked of %d endpoints", weight, asked, len(set))
		}
	}
}

func TestRoundRobin_IsExactUnderConcurrency(t *testing.T) {
	r := NewRoundRobin(weighted(2, 1), nil)
	var counts [2]atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3000 {
				counts[r.Pick(busy())].Add(1)
			}
		})
	}
	wg.Wait()
	if a, b := counts[0].Load(), counts[1].Load(); a != 16000 || b != 8000 {
		t.Errorf("24000 picks of weights 2 and 1 fall %d and %d, want 16000 and 8000", a, b)
	}
}
