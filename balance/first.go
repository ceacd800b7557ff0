package balance

import "sync/atomic"

// A first is the number of endpoints in a set.
type first int

// NewFirst is the policy first: the first endpoint, in the order of the set, that
// is free. Weights do not matter.
func NewFirst(set []Target, _ *atomic.Uint64) Picker { return first(len(set)) }

// Pick implements Picker.
func (n first) Pick(c Candidates) int {
	for i := range int(n) {
		if c.Free(i) {
			return i
		}
	}
	return -1
}
