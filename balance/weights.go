package balance

import "math"

// weightsOf returns the weights of a set, none below 1 and none so large that a
// sum of many overflows.
func weightsOf(set []Target) []int {
	weights := make([]int, len(set))
	for i, t := range set {
		weights[i] = min(max(t.Weight, 1), math.MaxInt32)
	}
	return weights
}

func allEqual(weights []int) bool {
	for _, w := range weights {
		if w != weights[0] {
			return false
		}
	}
	return true
}

func sum(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	return total
}
