package balance

import (
	"math/bits"
	"sort"
)

// maxDraws is how often a lottery draws, hoping for a free endpoint, before it
// looks at all of them.
const maxDraws = 4

// A lottery draws endpoints at random, in proportion to their weights.
type lottery struct {
	weights []int
	// upTo[i] is the sum of the weights up to that of i; nil if all are equal.
	upTo   []uint64
	random func() uint64
}

func newLottery(weights []int, random func() uint64) *lottery {
	l := &lottery{weights: weights, random: random}
	if allEqual(weights) {
		return l
	}
	total := uint64(0)
	for _, w := range weights {
		total += uint64(w)
		l.upTo = append(l.upTo, total)
	}
	return l
}

// below returns a random number below n.
func (l *lottery) below(n uint64) uint64 {
	number, _ := bits.Mul64(l.random(), n)
	return number
}

// draw returns an endpoint, free or not.
func (l *lottery) draw() int {
	n := len(l.weights)
	if l.upTo == nil {
		return int(l.below(uint64(n)))
	}
	return l.holder(l.below(l.upTo[n-1]))
}

// drawBut returns an endpoint other than i, of which there is one at least.
func (l *lottery) drawBut(i int) int {
	n := len(l.weights)
	if l.upTo == nil {
		other := int(l.below(uint64(n - 1)))
		if other >= i {
			other++
		}
		return other
	}
	weight := uint64(l.weights[i])
	ticket := l.below(l.upTo[n-1] - weight)
	if ticket >= l.upTo[i]-weight {
		ticket += weight
	}
	return l.holder(ticket)
}

// holder is whose ticket it is: an endpoint has as many as its weight.
func (l *lottery) holder(ticket uint64) int {
	return sort.Search(len(l.upTo), func(i int) bool { return ticket < l.upTo[i] })
}

// free returns an endpoint that is free, each with the probability that its
// weight gives it among those that are; -1 if none is.
func (l *lottery) free(c Candidates) int {
	if i := l.freeByLuck(c); i >= 0 {
		return i
	}
	return l.scan(c)
}

// freeByLuck is free, but gives up soon: -1 does not mean that none is.
func (l *lottery) freeByLuck(c Candidates) int {
	for range maxDraws {
		if i := l.draw(); c.Free(i) {
			return i
		}
	}
	return -1
}

// scan is free without luck. It looks at all, and lets each free one replace the
// one found before with the probability that makes all equal by weight in the
// end.
func (l *lottery) scan(c Candidates) int {
	found, total := -1, uint64(0)
	for i, w := range l.weights {
		if !c.Free(i) {
			continue
		}
		total += uint64(w)
		if l.below(total) < uint64(w) {
			found = i
		}
	}
	return found
}
