package dns

import (
	"log/slog"
	"maps"
	"slices"
)

// maxComplaints bounds how much is logged at a time.
const maxComplaints = 100

// Complaints are what is wrong with parts of answers.
type complaints struct {
	log  *slog.Logger
	said map[string]bool // those that were logged
}

// say logs them, each once as long as it stays wrong.
func (c *complaints) say(wrong map[string]bool) {
	said := 0
	for _, text := range slices.Sorted(maps.Keys(wrong)) {
		if c.said[text] {
			continue
		}
		if said++; said <= maxComplaints {
			c.log.Warn("part of what DNS says does not count", "reason", text)
		}
	}
	if said > maxComplaints {
		c.log.Warn("more of what DNS says does not count", "more", said-maxComplaints)
	}
	c.said = wrong
}
