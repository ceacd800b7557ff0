package balance

import (
	"math"
	"slices"
	"testing"
)

// entries is how many entries of its table each endpoint has.
func entries(p Picker, n int) []int {
	counts := make([]int, n)
	for _, i := range p.(*maglev).table {
		counts[i]++
	}
	return counts
}

func TestMaglev_SharesItsTableByWeight(t *testing.T) {
	for _, weights := range [][]int{
		{1, 1}, {1, 1, 1}, {5, 1, 1}, {100, 100, 10}, {3, 7, 1000, 20}, slices.Repeat([]int{1, 2, 3}, 100),
	} {
		counts := entries(NewMaglev(weighted(weights...), nil), len(weights))
		size, total := sum(counts), sum(weights)
		for i, n := range counts {
			// Shares are exact but for what is left in the last round and was
			// lent in the first.
			want := float64(size) * float64(weights[i]) / float64(total)
			round := max(1, float64(size)/minRounds*float64(weights[i])/float64(total))
			if math.Abs(float64(n)-want) > max(2, 0.01*want) && math.Abs(float64(n)-want) > round {
				t.Errorf("of weights %v, endpoint %d has %d entries of %d, want %.0f", weights, i, n, size, want)
			}
		}
	}
}

func TestMaglev_ForgetsNobody(t *testing.T) {
	set := weighted(1, 1<<31, 1, 1<<31, 1)
	if least := slices.Min(entries(NewMaglev(set, nil), len(set))); least < 1 {
		t.Error("an endpoint of weight 1 beside some of 2^31 has no entry")
	}
}

func TestMaglev_HasATableThatFitsTheSet(t *testing.T) {
	for _, test := range []struct{ endpoints, size int }{
		{2, 65537}, {1000, 65537}, {2048, 65537}, {2049, 131101}, {10_000, 524309}, {1_000_000, 1048583},
	} {
		if got := tableSize(test.endpoints); got != test.size {
			t.Errorf("the table for %d endpoints has %d entries, want %d", test.endpoints, got, test.size)
		}
	}
	for _, size := range tableSizes {
		for d := 2; d*d <= size; d++ {
			if size%d == 0 {
				t.Errorf("a table of %d entries is not of prime size: %d divides it", size, d)
			}
		}
	}
	if p := NewMaglev(equal(1), nil).(*maglev); p.table != nil {
		t.Errorf("a single endpoint needs no table, got one of %d entries", len(p.table))
	}
}

func TestMaglev_SpreadsTheKeysOfWhoIsNotFree(t *testing.T) {
	p := NewMaglev(weighted(3, 1, 2, 1), nil)
	counts := make([]int, 4)
	for key := range uint64(40_000) {
		c := withKey(key, busy())
		home := p.Pick(c)
		c.busy[0] = true
		other := p.Pick(c)
		if home != 0 && other != home {
			t.Fatalf("while endpoint 0 is busy, key %d goes from %d to %d", key, home, other)
		}
		if home == 0 {
			counts[other]++
		}
	}
	share(t, "the keys of a busy one", counts, []int{0, 1, 2, 1})
}

func TestMaglev_FindsTheOnlyFreeOneOfMany(t *testing.T) {
	const n = 3000
	p := NewMaglev(equal(n), nil)
	for key := range uint64(50) {
		if got := p.Pick(withKey(key, allBut(n, 777))); got != 777 {
			t.Errorf("endpoint %d is picked, want the only free one, 777", got)
		}
	}
}

func TestMaglev_IsRandomWithoutAKey(t *testing.T) {
	p := newMaglev(weighted(2, 1, 1), seeded())
	share(t, "without a key", count(t, p, busy(), 3, 20_000), []int{2, 1, 1})
	share(t, "without a key, one busy", count(t, p, busy(1), 3, 20_000), []int{2, 0, 1})
}
