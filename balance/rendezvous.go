package balance

import "math"

// A rendezvous places keys by having every endpoint draw a lot for each key, the
// same one every time: the endpoint with the lowest lot gets it. It asks all
// endpoints, so it is for when there is no quicker way.
type rendezvous struct {
	ids     []uint64
	weights []int
}

// pick returns, of the endpoints that will do, the one that the key belongs to; -1
// if none will do.
func (r *rendezvous) pick(key uint64, willDo func(i int) bool) int {
	found, lowest := -1, math.Inf(1)
	for i, id := range r.ids {
		if !willDo(i) {
			continue
		}
		if lot := lot(key, id, r.weights[i]); lot < lowest {
			found, lowest = i, lot
		}
	}
	return found
}

// lot is a random number of the exponential distribution, whose rate is the
// weight: it is the lowest of several with a probability in proportion to it.
func lot(key, id uint64, weight int) float64 {
	uniform := (float64(mix(key^id)>>11) + 0.5) / (1 << 53)
	return -math.Log(uniform) / float64(weight)
}
