package balance

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// maxTurns bounds the length of a round. Weights that would need more are scaled
// down, every endpoint keeping at least one turn.
const maxTurns = 1 << 16

// maxWork bounds the time that laying out a round perfectly takes, in turns times
// endpoints. Above it, a round is laid out almost as evenly in less.
const maxWork = 1 << 20

// maxPassed bounds how many turns are passed over in search of a free endpoint
// when weights differ: a round can be far longer than the set.
const maxPassed = 64

// A roundRobin takes the endpoints in turn, in exactly their order when their
// weights are equal. Otherwise each gets turns in proportion to its weight,
// spread as evenly over the round as they can be (the smooth weighted round
// robin of nginx): 5, 1, 1 is a a b a c a a, never a a a a a b c.
//
// The turns of endpoints that are not free are passed over and do not come back,
// so that the next in the order does not get all of them.
type roundRobin struct {
	turns []int32 // the places in the order of one round; nil if it is 0…n-1
	n     uint64  // the turns of a round
	size  int     // the endpoints
	turn  *atomic.Uint64
}

// NewRoundRobin is the policy round_robin: endpoints take turns, in proportion to
// their weights. If turn is nil, the picker begins at the first.
func NewRoundRobin(set []Target, turn *atomic.Uint64) Picker {
	if turn == nil {
		turn = new(atomic.Uint64)
	}
	r := &roundRobin{n: uint64(len(set)), size: len(set), turn: turn}
	if shares := reduced(weightsOf(set)); !allEqual(shares) {
		r.turns = round(shares)
		r.n = uint64(len(r.turns))
	}
	return r
}

// Pick implements Picker.
func (r *roundRobin) Pick(c Candidates) int {
	turn := r.turn.Add(1) - 1
	place := r.place(turn)
	if c.Free(place) {
		return place
	}
	return r.passOver(c, turn, place)
}

// place is whose turn it is.
func (r *roundRobin) place(turn uint64) int {
	if r.turns == nil {
		return int(turn % r.n)
	}
	return int(r.turns[turn%r.n])
}

// passOver goes on to the turn of a free endpoint, and then, if the round is too
// long to look at all of it, to the next free one by place.
func (r *roundRobin) passOver(c Candidates, turn uint64, busy int) int {
	ahead := r.n - 1
	if r.turns != nil {
		ahead = min(ahead, maxPassed)
	}
	for passed := uint64(1); passed <= ahead; passed++ {
		if place := r.place(turn + passed); place != busy && c.Free(place) {
			r.turn.Add(passed)
			return place
		}
	}
	if r.turns == nil {
		return -1
	}
	for i := 1; i < r.size; i++ {
		if place := (busy + i) % r.size; c.Free(place) {
			return place
		}
	}
	return -1
}

// round lays out one round.
func round(weights []int) []int32 {
	if total := sum(weights); total*len(weights) > maxWork {
		return spread(weights)
	}
	return smooth(weights)
}

// smooth lays out one round: in every turn each endpoint gains its weight, and
// the one that has most is taken and pays the sum of all.
func smooth(weights []int) []int32 {
	total := sum(weights)
	credit := make([]int, len(weights))
	turns := make([]int32, total)
	for t := range turns {
		best := 0
		for i, w := range weights {
			credit[i] += w
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= total
		turns[t] = int32(best)
	}
	return turns
}

// spread lays out one round by giving each endpoint moments at equal distances.
// The first ones are staggered, so that endpoints of equal weight do not come all
// at once.
func spread(weights []int) []int32 {
	type moment struct {
		at    float64
		place int32
	}
	moments := make([]moment, 0, sum(weights))
	for i, w := range weights {
		first := (float64(i) + 0.5) / float64(len(weights))
		for k := range w {
			moments = append(moments, moment{(float64(k) + first) / float64(w), int32(i)})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	turns := make([]int32, len(moments))
	for t, m := range moments {
		turns[t] = m.place
	}
	return turns
}

// reduced divides the weights by what they have in common, and further if a
// round would be too long.
func reduced(weights []int) []int {
	out := make([]int, len(weights))
	common := 0
	for _, w := range weights {
		common = gcd(w, common)
	}
	for i, w := range weights {
		out[i] = w / common
	}
	if total := sum(out); total > maxTurns && !allEqual(out) {
		for i := range out {
			out[i] = max(1, out[i]*maxTurns/total)
		}
	}
	return out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
