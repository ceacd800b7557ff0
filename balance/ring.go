package balance

import (
	"math/bits"
	"slices"
)

// nodesEach is how many nodes an endpoint of ordinary weight has on a ring. The
// shares of the endpoints then differ by 3 % (one standard deviation).
const nodesEach = 1024

// maxNodes bounds the nodes of a ring, and with them its memory, to 4 MiB, and the
// time to build it. Each endpoint has one at least.
const maxNodes = 1 << 18

// A ring is the hash ring of consistent hashing: all 64-bit numbers, with nodes at
// random points, each of them an endpoint's. A key belongs to the first node at or
// after it.
type ring struct {
	points []uint64 // ascending
	places []int32  // whose node it is
	// begin[b] is the first node whose point has leading bits of b or more.
	// There are about as many values of b as nodes, so it is as good as the node
	// itself.
	begin []int32
	shift int
}

// newRing returns a ring with so many nodes for each endpoint. The points of an
// endpoint depend on its identity alone, and those that it has when it has few are
// among those that it has when it has many.
func newRing(ids []uint64, nodes []int) *ring {
	n := sum(nodes)
	leading := bits.Len(uint(n))
	r := &ring{
		points: make([]uint64, n),
		places: make([]int32, n),
		begin:  make([]int32, 1<<leading+1),
		shift:  64 - leading,
	}
	for i, id := range ids {
		for k := range nodes[i] {
			r.begin[point(id, k)>>r.shift+1]++
		}
	}
	for b := range r.begin[1:] {
		r.begin[b+1] += r.begin[b]
	}
	free := slices.Clone(r.begin)
	for i, id := range ids {
		for k := range nodes[i] {
			p := point(id, k)
			bucket := p >> r.shift
			r.insert(int(r.begin[bucket]), int(free[bucket]), p, int32(i))
			free[bucket]++
		}
	}
	return r
}

// point is where the k-th node of an endpoint stands.
func point(id uint64, k int) uint64 { return mix(id + uint64(k+1)*golden) }

// insert puts a node among those from first to end, which are sorted.
func (r *ring) insert(first, end int, point uint64, place int32) {
	for ; end > first && r.points[end-1] > point; end-- {
		r.points[end], r.places[end] = r.points[end-1], r.places[end-1]
	}
	r.points[end], r.places[end] = point, place
}

// node returns the node that a key belongs to.
func (r *ring) node(key uint64) int {
	i := int(r.begin[key>>r.shift])
	for i < len(r.points) && r.points[i] < key {
		i++
	}
	if i == len(r.points) {
		return 0
	}
	return i
}

// after returns the node that follows, clockwise.
func (r *ring) after(node int) int {
	if node++; node == len(r.points) {
		return 0
	}
	return node
}

// nodeCounts returns how many nodes endpoints of these weights have. Ordinary is
// the weight that half of them do not exceed: so when one leaves, or its weight
// changes, the others keep the nodes they have, unless there are more than a ring
// can take.
func nodeCounts(weights []int) []int {
	sorted := slices.Sorted(slices.Values(weights))
	ordinary := float64(sorted[len(sorted)/2])
	each := min(nodesEach, float64(maxNodes)*ordinary/float64(sum(weights)))
	counts := make([]int, len(weights))
	for i, w := range weights {
		counts[i] = max(1, int(each*float64(w)/ordinary))
	}
	return counts
}
