package balance

import (
	"math/rand/v2"
	"sync/atomic"
)

// loadFactor is how much more than the mean an endpoint may have under way.
const loadFactor = 1.25

// few is how many requests an endpoint may always have under way: that is no load
// yet, and keeping those of a key together is worth more than spreading them.
const few = 8

// maxAsked bounds how many endpoints are asked for what they have under way, to
// know the mean. Of larger sets so many are a good sample.
const maxAsked = 256

// maxSteps bounds how far around the ring the search for a place goes.
const maxSteps = 256

// A hash is consistent hashing with bounded loads.
type hash struct {
	ring       *ring
	rendezvous *rendezvous
	lottery    *lottery
}

// NewHash is the policy hash: requests of the same key go to the same endpoint,
// each having a share of the keys in proportion to its weight. When an endpoint
// leaves, only its own keys move; of sets of more than 256, where nodes on the
// ring are scarce, sometimes others too, on average about as many. One that is not
// free, or has more than 1.25 times its share of the requests under way, and at
// least 8, passes requests on to the next on the ring. A request without a key
// goes to any, as with random.
//
// The order of the set does not matter. To know what is under way, up to 256
// endpoints are asked at every request that finds more than a few at its own.
func NewHash(set []Target, _ *atomic.Uint64) Picker {
	return newHash(set, rand.Uint64)
}

func newHash(set []Target, source func() uint64) Picker {
	ids, weights := identities(set), weightsOf(set)
	return &hash{
		ring:       newRing(ids, nodeCounts(weights)),
		rendezvous: &rendezvous{ids, weights},
		lottery:    newLottery(weights, source),
	}
}

// Pick implements Picker.
func (h *hash) Pick(c Candidates) int {
	key, ok := c.Key()
	if !ok {
		return h.lottery.free(c)
	}
	key = mix(key)
	node := h.ring.node(key)
	if home := int(h.ring.places[node]); c.Free(home) && c.InFlight(home) < few {
		return home
	}
	return h.place(c, key, node)
}

// place finds a place for a key whose node is known.
func (h *hash) place(c Candidates, key uint64, node int) int {
	most := h.most(c)
	hasRoom := func(i int) bool {
		return c.Free(i) && float64(c.InFlight(i)) < max(few, most*float64(h.lottery.weights[i]))
	}
	for range min(maxSteps, len(h.ring.points)) {
		if i := int(h.ring.places[node]); hasRoom(i) {
			return i
		}
		node = h.ring.after(node)
	}
	if i := h.rendezvous.pick(key, hasRoom); i >= 0 {
		return i
	}
	return h.rendezvous.pick(key, c.Free)
}

// most is how many requests free endpoints may have under way, for each unit of
// their weight, when one more has come.
func (h *hash) most(c Candidates) float64 {
	n := len(h.lottery.weights)
	i, stride := 0, 1
	if n > maxAsked {
		i, stride = int(h.lottery.below(uint64(n))), n/maxAsked
	}
	requests, weight := 1, 0
	for range min(n, maxAsked) {
		if c.Free(i) {
			requests += c.InFlight(i)
			weight += h.lottery.weights[i]
		}
		if i += stride; i >= n {
			i -= n
		}
	}
	return loadFactor * float64(requests) / float64(max(weight, 1))
}
