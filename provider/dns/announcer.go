package dns

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
)

// maxComplaints bounds how much is logged at a time.
const maxComplaints = 100

// An announcer tells what DNS has, whenever that is something else than it has told
// before.
type announcer struct {
	update func(provider.Update)
	log    *slog.Logger

	told   []endpoint.Endpoint
	ever   bool
	ailing string          // the outage that was told last; empty if it is over
	said   map[string]bool // the complaints that were logged
}

// announce tells the endpoints.
func (a *announcer) announce(list []endpoint.Endpoint) {
	if a.ever && a.ailing == "" && slices.EqualFunc(a.told, list, same) {
		return
	}
	a.told, a.ever, a.ailing = list, true, ""
	a.update(provider.Update{Endpoints: list})
}

// fail tells an outage, once as long as it stays the same.
func (a *announcer) fail(err error) {
	if a.ailing == err.Error() {
		return
	}
	a.ailing = err.Error()
	a.update(provider.Update{Err: err})
}

// complain logs what is wrong with part of an answer, once as long as it stays wrong.
func (a *announcer) complain(wrong map[string]bool) {
	said := 0
	for _, text := range slices.Sorted(maps.Keys(wrong)) {
		if a.said[text] {
			continue
		}
		if said++; said <= maxComplaints {
			a.log.Warn("part of what DNS says does not count", "reason", text)
		}
	}
	if said > maxComplaints {
		a.log.Warn("more of what DNS says does not count", "more", said-maxComplaints)
	}
	a.said = wrong
}

func same(a, b endpoint.Endpoint) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Weight == b.Weight
}
