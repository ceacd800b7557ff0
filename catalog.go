package weir

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A catalog is the services that there are, by name and version. Those of the
// configuration are always in it; others come with the first worker that serves
// them, and stay when the last one leaves: it may be back in a moment, and requests
// wait for it. Looking one up takes no lock and allocates nothing.
type catalog struct {
	mu  sync.Mutex // held to change it
	all atomic.Pointer[index]
}

// An index is a catalog at one moment. It is immutable.
type index struct {
	byName map[string]map[string]*liveService // and by version
	sorted []*liveService
}

// maxUnlisted bounds how many services there are that no configuration names.
const maxUnlisted = 1000

func newCatalog() *catalog {
	c := new(catalog)
	c.all.Store(&index{byName: map[string]map[string]*liveService{}})
	return c
}

// find returns a service; nil if there is none of that name and version.
func (c *catalog) find(name, version []byte) *liveService {
	return c.all.Load().byName[string(name)][string(version)]
}

// version returns a version of a service; nil if there is none of that name.
func (c *catalog) version(name string, version []byte) *liveService {
	return c.all.Load().byName[name][string(version)]
}

// full returns the service, or the version of one, of a full name; nil if there is
// none.
func (c *catalog) full(name string) *liveService {
	name, version, _ := strings.Cut(name, "@")
	return c.all.Load().byName[name][version]
}

// list returns all services, sorted. The list is not to be changed.
func (c *catalog) list() []*liveService { return c.all.Load().sorted }

// adopt returns services by their keys, and makes those that there are not; they come
// last in fresh. They are in the catalog at once, so that nobody else makes them again.
func (c *catalog) adopt(keys []serviceKey, build func(serviceKey) *liveService) (all map[serviceKey]*liveService, fresh []*liveService) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all = make(map[serviceKey]*liveService, len(keys))
	for _, key := range keys {
		s := c.all.Load().byName[key.name][key.version]
		if s == nil {
			s = build(key)
			fresh = append(fresh, s)
		}
		all[key] = s
	}
	if len(fresh) > 0 {
		c.publishLocked(append(slices.Clone(c.list()), fresh...))
	}
	return all, fresh
}

// remove takes services out of the catalog.
func (c *catalog) remove(list []*liveService) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publishLocked(slices.DeleteFunc(slices.Clone(c.list()), func(s *liveService) bool { return slices.Contains(list, s) }))
	c.uncountLocked(list)
}

// obtain returns the service of that name and version, and makes it if there is
// none; nil if there are too many. One that was forgotten for it is returned too.
func (c *catalog) obtain(name, version string, build func() *liveService) (s, forgotten *liveService) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.all.Load().byName[name][version]; s != nil {
		return s, nil
	}
	list := slices.Clone(c.list())
	if unlisted(list) >= maxUnlisted {
		if forgotten = longestIdle(list); forgotten == nil {
			return nil, nil
		}
		list = slices.DeleteFunc(list, func(s *liveService) bool { return s == forgotten })
		forgotten.counted.Forget()
	}
	s = build()
	c.publishLocked(append(list, s))
	return s, forgotten
}

func (c *catalog) publishLocked(list []*liveService) {
	slices.SortFunc(list, func(a, b *liveService) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	next := &index{byName: map[string]map[string]*liveService{}, sorted: list}
	for _, s := range list {
		if next.byName[s.name] == nil {
			next.byName[s.name] = map[string]*liveService{}
		}
		next.byName[s.name][s.version] = s
	}
	c.all.Store(next)
}

func unlisted(list []*liveService) (n int) {
	for _, s := range list {
		if !s.isListed() {
			n++
		}
	}
	return n
}

// longestIdle returns, of the services that no configuration names and nobody
// serves, the one that was served last the longest time ago; nil if there is none.
func longestIdle(list []*liveService) *liveService {
	var longest *liveService
	var since time.Time
	for _, s := range list {
		idle, at := s.idle()
		if idle && !s.isListed() && (longest == nil || at.Before(since)) {
			longest, since = s, at
		}
	}
	return longest
}

// uncountLocked drops the counters of services that are not in the catalog. It is
// done before the lock is let go, so that one that comes by the same name has others.
func (c *catalog) uncountLocked(list []*liveService) {
	for _, s := range list {
		if c.version(s.name, []byte(s.version)) == nil {
			s.counted.Forget()
		}
	}
}

// close ends all services.
func (c *catalog) close() {
	for _, s := range c.list() {
		s.close()
	}
}

// clientTLS returns how endpoints are verified, of all of them.
func (c *catalog) clientTLS() (list []*clientTLS) {
	for _, s := range c.list() {
		list = append(list, s.clientTLS()...)
	}
	return list
}
