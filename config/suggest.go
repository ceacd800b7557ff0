package config

import (
	"slices"
	"strings"
)

// listed is how many names a message lists before it stops.
const listed = 25

// suggest returns the name closest to the one written, or "" if none is close
// enough to have been meant.
func suggest(written string, names []string) string {
	best, bestDistance := "", min(1+len(written)/3, 4)
	for _, name := range names {
		if d := distance(strings.ToLower(written), strings.ToLower(name), bestDistance); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is how many letters have to be inserted, deleted, replaced or
// swapped with their neighbour to turn a into b; it gives up at most.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean is the end of a message about a name that does not exist.
func didYouMean(written string, names []string) string {
	if s := suggest(written, names); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}

// list renders names in order, the rest as an ellipsis.
func list(names []string) string {
	names = slices.Sorted(slices.Values(names))
	if len(names) > listed {
		names = append(names[:listed], "…")
	}
	return strings.Join(names, ", ")
}
