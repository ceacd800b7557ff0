package worker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// lookUpEvery is how often names are looked up again.
	lookUpEvery   = 30 * time.Second
	lookUpTimeout = 10 * time.Second
	// maxNamed is how many routers others can name, in all.
	maxNamed = 64
)

// A roster is which routers there are: those of Options, and whom they name; and
// at which addresses.
//
//	router ─▶ its addresses ─▶ a post at each ─▶ further routers ─▶ …
//
// What cannot be reached on that way any more is left.
type roster struct {
	worker *worker
	ctx    context.Context
	busy   sync.WaitGroup

	mu      sync.Mutex
	roots   []router
	watches map[string]*watch // by router.key
	posts   map[string]*post  // by postKey
	named   map[*post][]router
}

// A watch is a router whose addresses are known, or looked up.
type watch struct {
	router    router
	addresses []string
	cancel    context.CancelFunc
}

func newRoster(ctx context.Context, w *worker, roots []router) *roster {
	return &roster{
		worker: w, ctx: ctx, roots: roots,
		watches: map[string]*watch{}, posts: map[string]*post{}, named: map[*post][]router{},
	}
}

// begin attaches to the routers of Options.
func (s *roster) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
}

// settleLocked has a watch for each router that is reached, and a post at each of
// their addresses, and no others.
func (s *roster) settleLocked() {
	if s.ctx.Err() != nil {
		return
	}
	routers, posts := map[string]bool{}, map[string][]router{}
	addresses := map[string]string{}
	queue := slices.Clone(s.roots)
	roots := map[string]bool{}
	for _, r := range s.roots {
		roots[r.key()] = true
	}
	for others := 0; len(queue) > 0; queue = queue[1:] {
		r := queue[0]
		if routers[r.key()] {
			continue
		}
		if !roots[r.key()] {
			if others == maxNamed {
				continue
			}
			others++
		}
		routers[r.key()] = true
		for _, address := range s.watchLocked(r).addresses {
			key := postKey(r, address)
			posts[key], addresses[key] = append(posts[key], r), address
			queue = append(queue, s.named[s.posts[key]]...)
		}
	}
	s.leaveLocked(routers, posts)
	for key, reached := range posts {
		if s.posts[key] == nil {
			s.postLocked(key, addresses[key], reached[0])
		}
	}
}

// postKey is equal for what is one connection: the same address, in the same way.
func postKey(r router, address string) string {
	if r.secure {
		return "https://" + address
	}
	return "http://" + address
}

// leaveLocked leaves what is reached no more.
func (s *roster) leaveLocked(routers map[string]bool, posts map[string][]router) {
	for key, w := range s.watches {
		if !routers[key] {
			w.cancel()
			delete(s.watches, key)
		}
	}
	for key, p := range s.posts {
		if !slices.ContainsFunc(posts[key], func(r router) bool { return r.key() == p.router.key() }) {
			s.worker.opts.Log.Info("leaving an address", "router", p.router.text, "address", p.address)
			p.cancel()
			delete(s.posts, key)
			delete(s.named, p)
		}
	}
}

// postLocked attaches at an address.
func (s *roster) postLocked(key, address string, r router) {
	ctx, cancel := context.WithCancel(s.ctx)
	p := &post{worker: s.worker, router: r, address: address, cancel: cancel}
	s.posts[key] = p
	s.busy.Go(func() {
		defer cancel()
		p.keep(ctx)
	})
}

// watchLocked returns the watch over a router, which begins if there is none.
func (s *roster) watchLocked(r router) *watch {
	w := s.watches[r.key()]
	if w != nil {
		return w
	}
	ctx, cancel := context.WithCancel(s.ctx)
	w = &watch{router: r, cancel: cancel}
	s.watches[r.key()] = w
	if _, err := netip.ParseAddr(r.host); err == nil || r.local || s.worker.resolve == nil {
		// There is nothing to look up; or it is this machine, which is one router
		// whatever addresses it has; or Options.Dial does it.
		w.addresses = []string{net.JoinHostPort(r.host, r.port)}
		return w
	}
	s.busy.Go(func() {
		defer cancel()
		s.lookUp(ctx, w)
	})
	return w
}

// lookUp keeps the addresses of a router up to date. One that cannot be looked up
// keeps those that it had.
func (s *roster) lookUp(ctx context.Context, w *watch) {
	var wait backoff
	failing := false
	for ctx.Err() == nil {
		addresses, err := s.resolve(ctx, w.router)
		pause := lookUpEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failing {
				s.worker.opts.Log.Warn("cannot look up a router; trying again", "router", w.router.text, "error", err)
			}
			pause = wait.next(nil)
		default:
			wait.reset()
			s.move(w, addresses)
		}
		failing = err != nil
		sleep(ctx, pause)
	}
}

// move notes the addresses of a router.
func (s *roster) move(w *watch, addresses []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(w.addresses, addresses) {
		w.addresses = addresses
		s.settleLocked()
	}
}

// resolve returns the addresses of a router, sorted.
func (s *roster) resolve(ctx context.Context, r router) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	ips, err := s.worker.resolve(ctx, "ip", r.host)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, ip := range ips {
		addresses = append(addresses, net.JoinHostPort(ip.Unmap().String(), r.port))
	}
	slices.Sort(addresses)
	return slices.Compact(addresses), nil
}

// heed notes which further routers one has named. They are believed if that one is
// known by its certificate, and they will be; or if all is on this machine.
func (s *roster) heed(p *post, texts []string) {
	var routers []router
	for _, text := range texts[:min(len(texts), maxNamed)] {
		r, err := parseRouter(text)
		if err == nil && !s.believes(p, r) {
			err = errNotBelieved
		}
		if err != nil {
			s.worker.opts.Log.Debug("not attaching to a router that was named", "by", p.router.text, "router", printable(text), "error", err)
			continue
		}
		routers = append(routers, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.posts[postKey(p.router, p.address)] == p {
		s.named[p] = routers
		s.settleLocked()
	}
}

var errNotBelieved = errors.New("only routers with TLS are believed, when they are named over TLS; or both are on this machine")

// believes reports whether a router that was named is attached to.
func (s *roster) believes(p *post, r router) bool {
	if p.router.secure && r.secure {
		t := s.worker.opts.TLS
		return t == nil || !t.InsecureSkipVerify
	}
	return p.router.local && r.local
}

// attached reports whether a router is attached to, at one of its addresses.
func (s *roster) attached(r router) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.posts {
		if p.router.key() == r.key() && p.attached.Load() {
			return true
		}
	}
	return false
}
