package registry

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
)

// maxComplaints bounds how many entries that cannot be read are logged at a time.
const maxComplaints = 100

// An Announcer tells what a registry has, whenever that is something else than it
// has told before.
type Announcer struct {
	update func(provider.Update)
	log    *slog.Logger
	path   string

	told   []endpoint.Endpoint
	ever   bool
	ailing string            // the outage that was told last; empty if it is over
	wrong  map[string]string // what was logged, by key
	crowd  bool              // it was logged that there are too many
}

// NewAnnouncer returns one that tells by update and logs what it leaves out. The path
// is put before keys, for people.
func NewAnnouncer(update func(provider.Update), log *slog.Logger, path string) *Announcer {
	return &Announcer{update: update, log: log, path: path}
}

// Announce tells the endpoints of all entries that are right, by version and name.
// Those that are wrong are left out and logged once.
func (a *Announcer) Announce(entries map[string]Entry) {
	list, wrong := collect(entries)
	a.complain(wrong)
	a.Tell(list)
}

// Tell tells endpoints in the order in which they stand. The list is not changed
// afterwards.
func (a *Announcer) Tell(list []endpoint.Endpoint) {
	if a.ever && a.ailing == "" && slices.EqualFunc(a.told, list, same) {
		return
	}
	a.told, a.ever, a.ailing = list, true, ""
	a.update(provider.Update{Endpoints: list})
}

// Told returns what was told last.
func (a *Announcer) Told() []endpoint.Endpoint { return a.told }

// Fail tells an outage, once as long as it stays the same.
func (a *Announcer) Fail(err error) {
	if a.ailing == err.Error() {
		return
	}
	a.ailing = err.Error()
	a.update(provider.Update{Err: err})
}

// Crowded notes whether there are entries that were not looked at, and logs it once.
func (a *Announcer) Crowded(now bool) {
	if now && !a.crowd {
		a.log.Warn("the registry has more entries than are read", "path", a.path, "most", MaxEndpoints)
	}
	a.crowd = now
}

func (a *Announcer) complain(wrong map[string]string) {
	said := 0
	for _, key := range slices.Sorted(maps.Keys(wrong)) {
		if a.wrong[key] == wrong[key] {
			continue
		}
		if said++; said <= maxComplaints {
			a.log.Warn("an entry of the registry is left out", "key", a.path+Shorten(key), "error", wrong[key])
		}
	}
	if said > maxComplaints {
		a.log.Warn("more entries of the registry are left out", "path", a.path, "more", said-maxComplaints)
	}
	a.wrong = wrong
}

// collect returns the endpoints of all entries that are right, sorted by version and
// name, and what is wrong with the others by key.
func collect(entries map[string]Entry) (list []endpoint.Endpoint, wrong map[string]string) {
	type identity struct{ version, name string }
	wrong = map[string]string{}
	keys := make(map[identity]string, len(entries))
	for key, e := range entries {
		if e.Wrong != nil {
			wrong[key] = e.Wrong.Error()
			continue
		}
		// One endpoint stands in two places if the version of one is in its key,
		// that of the other in its value. The first of the two stays.
		id := identity{e.Endpoint.Version, e.Endpoint.Name}
		other, twice := keys[id]
		switch {
		case !twice:
			keys[id] = key
		case strings.Contains(key, "/"):
			keys[id], wrong[other] = key, "it is "+key+" once more"
		default:
			wrong[key] = "it is " + other + " once more"
		}
	}
	list = make([]endpoint.Endpoint, 0, len(keys))
	for _, key := range keys {
		list = append(list, entries[key].Endpoint)
	}
	slices.SortFunc(list, func(a, b endpoint.Endpoint) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Name, b.Name))
	})
	return list, wrong
}

func same(a, b endpoint.Endpoint) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Weight == b.Weight && a.Concurrency == b.Concurrency &&
		a.Version == b.Version && a.Zone == b.Zone && maps.Equal(a.Labels, b.Labels)
}
