package balance

import (
	"math/rand/v2"
	"sync/atomic"
)

type random struct{ *lottery }

// NewRandom is the policy random: any free endpoint, with a probability in
// proportion to its weight.
func NewRandom(set []Target, _ *atomic.Uint64) Picker {
	return newRandom(set, rand.Uint64)
}

func newRandom(set []Target, source func() uint64) Picker {
	return random{newLottery(weightsOf(set), source)}
}

// Pick implements Picker.
func (r random) Pick(c Candidates) int { return r.free(c) }
