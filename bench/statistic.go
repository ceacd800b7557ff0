package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// spread is a median with what surrounds it.
type spread struct{ median, low, high float64 }

// spreadOf leaves out what is not a number, the figure of a round that had none.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(slices.DeleteFunc(slices.Clone(values), math.IsNaN)))
	if len(sorted) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return spread{median, sorted[0], sorted[len(sorted)-1]}
}

// String is the median with the range in brackets; without it if there is one value.
func (s spread) String() string {
	if s.low == s.high || math.IsNaN(s.median) {
		return number(s.median)
	}
	return number(s.median) + " (" + number(s.low) + "–" + number(s.high) + ")"
}

// number prints about three significant digits, with commas between thousands.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case size < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case size < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	var groups []string
	for len(digits) > 3 && digits[len(digits)-4] != '-' {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, groups...), ",")
}

// ratio is that of medians; NaN prints as a dash where there is nothing to compare with.
func ratio(of, to spread) float64 {
	if to.median == 0 {
		return math.NaN()
	}
	return of.median / to.median
}
