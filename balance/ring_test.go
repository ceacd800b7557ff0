package balance

import (
	"slices"
	"testing"
)

// owner is whom a key belongs to, by looking at all nodes.
func owner(ids []uint64, nodes []int, key uint64) int {
	found, nearest := -1, uint64(0)
	for i, id := range ids {
		for k := range nodes[i] {
			// Going clockwise, numbers wrap at 2^64 as the ring does.
			if distance := point(id, k) - key; found < 0 || distance < nearest {
				found, nearest = i, distance
			}
		}
	}
	return found
}

func TestRing_FindsTheFirstNodeClockwise(t *testing.T) {
	random := seeded()
	for _, nodes := range [][]int{{1}, {1, 1}, {3, 1, 2}, {100, 50, 7, 1, 1}} {
		ids := identities(equal(len(nodes)))
		r := newRing(ids, nodes)
		if !slices.IsSorted(r.points) {
			t.Fatalf("the points of a ring of %v nodes are not in order", nodes)
		}
		keys := []uint64{0, 1<<64 - 1, r.points[0], r.points[0] + 1, r.points[len(r.points)-1]}
		for range 500 {
			keys = append(keys, random())
		}
		for _, key := range keys {
			if got, want := int(r.places[r.node(key)]), owner(ids, nodes, key); got != want {
				t.Fatalf("on a ring of %v nodes, %#x belongs to endpoint %d, want %d", nodes, key, got, want)
			}
		}
	}
}

func TestRing_GoesAround(t *testing.T) {
	r := newRing(identities(equal(3)), []int{2, 2, 2})
	node, seen := 4, []int{}
	for range 6 {
		seen = append(seen, node)
		node = r.after(node)
	}
	if want := []int{4, 5, 0, 1, 2, 3}; !slices.Equal(seen, want) {
		t.Errorf("from node 4 of 6 the way is %v, want %v", seen, want)
	}
}

func TestRing_GivesNodesByWeight(t *testing.T) {
	for _, test := range []struct {
		name          string
		weights, want []int
	}{
		{"equal", []int{1, 1, 1}, []int{1024, 1024, 1024}},
		{"equal, and larger", []int{100, 100}, []int{1024, 1024}},
		{"one more", []int{5, 1, 1}, []int{5120, 1024, 1024}},
		{"one less", []int{100, 100, 25}, []int{1024, 1024, 256}},
		{"one hardly any", []int{10_000, 10_000, 1}, []int{1024, 1024, 1}},
	} {
		if got := nodeCounts(test.weights); !slices.Equal(got, test.want) {
			t.Errorf("%s: weights %v have the nodes %v, want %v", test.name, test.weights, got, test.want)
		}
	}
}

func TestRing_BoundsItsNodesAndForgetsNobody(t *testing.T) {
	uneven := make([]int, 5000)
	for i := range uneven {
		uneven[i] = 1 + i%1000*i
	}
	for _, weights := range [][]int{weightsOf(equal(10_000)), weightsOf(equal(300_000)), {1, 1, 1 << 31}, uneven} {
		counts := nodeCounts(weights)
		if n := sum(counts); n > maxNodes+len(weights) {
			t.Errorf("%d endpoints have %d nodes, want at most %d and one for each", len(weights), n, maxNodes)
		}
		if least := slices.Min(counts); least < 1 {
			t.Errorf("an endpoint of %d has %d nodes", len(weights), least)
		}
	}
}
