package balance

import (
	"math/rand/v2"
	"sync/atomic"
)

// fewEndpoints is how large a set may be for all of it to be compared for every
// request. In larger ones two drawn at random are: nearly as good, and without the
// stampede to whichever looked best to everybody at once.
const fewEndpoints = 3

// A leastLoad compares endpoints by how long a request would have to wait there.
type leastLoad struct{ *lottery }

// NewLeastLoad is the policy least_load: of two free endpoints drawn at random by
// weight, the one where the request has to wait less, going by what is under way
// and by how long answers have been taking lately. Of few free ones, all are
// compared. An endpoint that nothing is known of is taken to be as fast as the
// fastest that it is compared with.
func NewLeastLoad(set []Target, _ *atomic.Uint64) Picker {
	return newLeastLoad(set, rand.Uint64)
}

func newLeastLoad(set []Target, source func() uint64) Picker {
	return leastLoad{newLottery(weightsOf(set), source)}
}

// Pick implements Picker.
func (l leastLoad) Pick(c Candidates) int {
	if len(l.weights) <= fewEndpoints {
		return l.best(c)
	}
	one := l.freeByLuck(c)
	if one < 0 {
		return l.best(c)
	}
	for range maxDraws {
		if other := l.drawBut(one); c.Free(other) {
			choice := newComparison(l.lottery)
			choice.add(c, one)
			choice.add(c, other)
			return choice.best()
		}
	}
	return l.best(c)
}

// best compares all that are free; -1 if none is.
func (l leastLoad) best(c Candidates) int {
	choice := newComparison(l.lottery)
	for i := range l.weights {
		if c.Free(i) {
			choice.add(c, i)
		}
	}
	return choice.best()
}
