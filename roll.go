package weir

import (
	"slices"
	"sync"
	"time"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/admin"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/service"
)

// A roll is the workers that serve a service, and how they are called among its
// endpoints. Its methods may be called concurrently, and are quick however many
// there are.
type roll struct {
	mu      sync.Mutex
	workers []*worker          // in the order they came
	taken   map[string]*worker // by name; nil for an endpoint that has not dialed in
	// reserved are the names of endpoints that have not dialed in.
	reserved []string
	version  uint64    // counts the changes
	left     time.Time // when the last worker did
	closed   bool      // the service was forgotten: nobody can join
	// departed are the names of those that have left since announced.
	departed map[string]bool
}

func newRoll() *roll { return &roll{taken: map[string]*worker{}, departed: map[string]bool{}} }

// reserve gives names to endpoints that have not dialed in, and takes back those that
// they had. Workers that have one of them get another, and are returned.
func (r *roll) reserve(names []string) (evicted []*worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.reserved {
		delete(r.taken, name)
	}
	r.reserved = names
	for _, name := range names {
		if w := r.taken[name]; w != nil {
			evicted = append(evicted, w)
		}
		r.taken[name] = nil
	}
	for _, w := range evicted {
		w.name = r.freeNameLocked(w)
		r.taken[w.name] = w
		r.version++
	}
	return evicted
}

// join puts a worker on the roll, and gives it its name; false if the service was
// forgotten.
func (r *roll) join(w *worker) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	w.name = r.freeNameLocked(w)
	r.taken[w.name] = w
	r.workers = append(r.workers, w)
	r.version++
	return true
}

// freeNameLocked is the worker's name among the endpoints: that of its instance,
// unless somebody with another credential has that.
func (r *roll) freeNameLocked(w *worker) string {
	name := w.identity.Instance
	for free := name; ; free += "'" {
		if _, taken := r.taken[free]; !taken {
			return free
		}
		if free == name {
			free += " (" + w.identity.Credential + ")"
			if _, taken := r.taken[free]; !taken {
				return free
			}
		}
	}
}

// renew takes over what another connection of a worker has said of it.
func (r *roll) renew(w *worker, id attach.Identity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id.Weight != w.identity.Weight { // what else there is to announce never changes
		r.version++
	}
	w.identity = id
}

// leave takes a worker off the roll.
func (r *roll) leave(w *worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.workers, w)
	if i < 0 {
		return
	}
	r.workers = slices.Delete(r.workers, i, i+1)
	delete(r.taken, w.name)
	r.departed[w.name] = true
	if len(r.workers) == 0 {
		r.left = time.Now()
	}
	r.version++
}

// succeeds reports whether w would get the name of one who has left, and that was
// not announced yet.
func (r *roll) succeeds(w *worker) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.departed[r.freeNameLocked(w)]
}

// now returns how often the roll has changed.
func (r *roll) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// announced returns the workers and the endpoints that they are, in the same
// order; and how often the roll has changed till then.
func (r *roll) announced() (workers []*worker, endpoints []endpoint.Endpoint, version uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	endpoints = make([]endpoint.Endpoint, len(r.workers))
	for i, w := range r.workers {
		endpoints[i] = w.endpoint()
	}
	clear(r.departed)
	return slices.Clone(r.workers), endpoints, r.version
}

// has reports whether a worker is called that.
func (r *roll) has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[name] != nil
}

// shown returns what is shown of the workers, by how they are reached.
func (r *roll) shown() map[service.Transport]*admin.Worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[service.Transport]*admin.Worker, len(r.workers))
	for _, w := range r.workers {
		all[&w.attached] = w.shown()
	}
	return all
}

// shownAs returns what is shown of the worker of that name; nil if there is none.
func (r *roll) shownAs(name string) *admin.Worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.taken[name]; w != nil {
		return w.shown()
	}
	return nil
}

// idle reports whether there is no worker, and since when.
func (r *roll) idle() (idle bool, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.workers) == 0, r.left
}

// close has nobody join any more.
func (r *roll) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// called returns how a worker is called among the endpoints of its service.
func (w *worker) called() string {
	r := w.service.roll
	r.mu.Lock()
	defer r.mu.Unlock()
	return w.name
}
