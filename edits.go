package weir

import (
	"maps"
	"slices"
	"sync"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
)

// Edits are what was changed at run time in who serves what, over what the
// configuration and the sources say. They are written to the state file before they
// take effect.
//
// The file is kept complete, and so is what is in memory: an edit is an immutable
// value that is replaced as a whole.
type edits struct {
	path string // of the state file; empty if there is none

	mu  sync.Mutex
	all map[serviceKey]*edit
}

// An edit is what was changed in one service, or one version of it.
type edit struct {
	// put are endpoints that were added, or described anew, by name.
	put map[string]edited
	// removed are names of endpoints that are left out whoever announces them, and
	// drained those of endpoints that get nothing new.
	removed, drained map[string]bool
}

// An edited endpoint is one that was put, with the fields that each request to it
// carries.
type edited struct {
	endpoint.Endpoint
	headers config.Fields
}

// maxEdited bounds how many endpoints of one service, or one version of it, may be
// changed.
const maxEdited = 10_000

// of returns what was changed in a service; nothing is an empty edit.
func (e *edits) of(key serviceKey) *edit {
	e.mu.Lock()
	defer e.mu.Unlock()
	if found := e.all[key]; found != nil {
		return found
	}
	return new(edit)
}

// set notes what was changed in a service, once it is written. If it cannot be
// written, nothing has changed.
func (e *edits) set(key serviceKey, next *edit) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := maps.Clone(e.all)
	if all == nil {
		all = map[serviceKey]*edit{}
	}
	all[key] = next
	if next.empty() {
		delete(all, key)
	}
	if e.path != "" {
		if err := writeState(e.path, all); err != nil {
			return err
		}
	}
	e.all = all
	return nil
}

// keys lists the services in which something was changed.
func (e *edits) keys() []serviceKey {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.all))
}

func (e *edit) empty() bool { return len(e.put)+len(e.removed)+len(e.drained) == 0 }

// clone returns a copy that may be changed.
func (e *edit) clone() *edit {
	return &edit{put: cloned(e.put), removed: cloned(e.removed), drained: cloned(e.drained)}
}

func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// size is how much there is to keep.
func (e *edit) size() int { return len(e.put) + len(e.removed) + len(e.drained) }

// offers returns the endpoints that were put into a service with settings c, sorted
// by name.
func (e *edit) offers(c config.Service) (list []offer, err error) {
	for _, name := range slices.Sorted(maps.Keys(e.put)) {
		put := e.put[name]
		o, wrong := newOffer(put.Endpoint, config.Endpoint{Headers: put.headers}, c)
		if wrong != nil {
			return nil, wrong
		}
		o.from = fromAPI
		list = append(list, o)
	}
	return list, nil
}
