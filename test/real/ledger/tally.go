package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Tally tells in one line how many requests of each method ended how, and how long
// the slowest took.
func Tally(reports []Report) string {
	counts := map[string]int{}
	var slowest time.Duration
	for _, r := range reports {
		end := string(r.Outcome)
		if r.Code != "" {
			end += " with " + r.Code
		}
		counts[r.Method+" "+end]++
		slowest = max(slowest, r.Took)
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[key], key))
	}
	return fmt.Sprintf("%d requests: %s; the slowest took %v", len(reports), strings.Join(parts, ", "), slowest.Round(time.Millisecond))
}
