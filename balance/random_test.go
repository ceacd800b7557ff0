package balance

import (
	"slices"
	"testing"
)

func TestRandom_GivesEachItsWeightAmongThoseFree(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    []Target
		c      *state
		shares []int
	}{
		{"one", equal(1), busy(), []int{1}},
		{"equal", equal(4), busy(), []int{1, 1, 1, 1}},
		{"of different weights", weighted(6, 3, 1), busy(), []int{6, 3, 1}},
		{"one busy", equal(4), busy(1), []int{1, 0, 1, 1}},
		{"the heaviest busy", weighted(60, 3, 1), busy(0), []int{0, 3, 1}},
		{"many busy", equal(20), allBut(20, 3, 4, 17), []int{17: 1, 3: 1, 4: 1, 19: 0}},
		{"a weight below one", weighted(-5, 2), busy(), []int{1, 2}},
		{"weights that are as large as can be", weighted(1<<62, 1<<62, 1<<62, 1<<62, 1), busy(), []int{1, 1, 1, 1, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newRandom(test.set, seeded())
			share(t, test.name, count(t, p, test.c, len(test.set), 20_000), test.shares)
		})
	}
}

func TestRandom_FindsNobodyWhenNobodyIsFree(t *testing.T) {
	for _, set := range [][]Target{equal(1), equal(5), weighted(1, 2, 3)} {
		if got := NewRandom(set, nil).Pick(allBut(len(set))); got != -1 {
			t.Errorf("of %d endpoints that are not free, %d is picked", len(set), got)
		}
	}
}

func TestRandom_IsNotTheSameEveryTime(t *testing.T) {
	a := picks(NewRandom(equal(100), nil), busy(), 50)
	b := picks(NewRandom(equal(100), nil), busy(), 50)
	if slices.Equal(a, b) {
		t.Errorf("two pickers pick the same fifty in a row: %v", a)
	}
}

// To draw anyone but one is to draw again until it is someone else.
func TestLottery_DrawsAnyButOne(t *testing.T) {
	for _, weights := range [][]int{{1, 1, 1, 1}, {5, 1, 3, 1}} {
		for not := range weights {
			l := newLottery(weights, seeded())
			counts, shares := make([]int, len(weights)), slices.Clone(weights)
			shares[not] = 0
			for range 20_000 {
				counts[l.drawBut(not)]++
			}
			share(t, "without one", counts, shares)
		}
	}
}
