package weir

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/service"
)

// A liveService is a service, or one version of it, and who serves it at present:
// the endpoints that were announced, and the workers that have dialed in. It outlives
// the configurations that describe it.
type liveService struct {
	proxy         *Proxy
	name, version string
	members       *service.Pool
	counted       *observe.ServiceSeries
	now           atomic.Pointer[described]

	roll *roll

	turn turn // of the split of its requests

	telling sync.Mutex    // held to announce who is on the roll; guards what follows
	told    uint64        // the version of the roll that was announced last
	over    time.Duration // when that was over, on the clock of exchange.Now
	took    time.Duration // and how long it took

	mu         sync.Mutex // held to change the pool; guards what follows, and the workers' member
	edited     *edit      // at run time
	put        []offer
	configured []offer
	provided   []provided
	reached    map[string]*reached // by the endpoint's name
}

// described is a service as a configuration has it.
type described struct {
	*service.Service
	cfg    config.Service
	listed bool   // the configuration names it
	split  *split // nil: requests that name no version are its own
}

// newLiveService returns a service with settings c; listed says that a configuration
// names it.
func newLiveService(p *Proxy, key serviceKey, c config.Service, listed bool) *liveService {
	s := &liveService{proxy: p, name: key.name, version: key.version, roll: newRoll(), reached: map[string]*reached{}}
	s.edited = p.edits.of(s.key())
	s.members = pool.New(nil, nil, poolOptions(p, s.key(), c))
	s.counted = p.observer.Service(s.fullName())
	s.now.Store(&described{Service: service.New(serviceOptions(p, s.key(), c, s.members)), cfg: c, listed: listed})
	return s
}

// Pool returns the endpoints.
func (s *liveService) Pool() *service.Pool { return s.members }

// settings is how the service is to be called at present.
func (s *liveService) settings() config.Service { return s.now.Load().cfg }

// isListed reports whether the configuration names the service.
func (s *liveService) isListed() bool { return s.now.Load().listed }

func (s *liveService) fullName() string { return fullName(s.name, s.version) }

// describe has the service be as c says from the next request on, with these
// endpoints of the configuration beside those that others have announced. Endpoints
// that stay keep their state.
func (s *liveService) describe(c config.Service, listed bool, configured []offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members.Reconfigure(poolOptions(s.proxy, s.key(), c))
	s.now.Store(&described{
		Service: s.now.Load().With(serviceOptions(s.proxy, s.key(), c, s.members)),
		cfg:     c, listed: listed, split: s.splitAs(c),
	})
	s.configured = configured
	s.secureLocked(c)
	s.publishLocked(true)
}

// splitAs returns how requests that name no version are split; nil if they are not,
// or the service is a version itself.
func (s *liveService) splitAs(c config.Service) *split {
	if s.version != "" {
		return nil
	}
	return newSplit(s.proxy, c)
}

// inhabited reports whether the service has endpoints, in whatever state.
func (s *liveService) inhabited() bool { return len(s.members.Members()) > 0 }

// provided is all endpoints that one source knows.
type provided struct {
	from *source
	list []offer
}

// provide makes these all endpoints that one source knows.
func (s *liveService) provide(from *source, list []offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, known := slices.BinarySearchFunc(s.provided, from, func(p provided, from *source) int { return p.from.compare(from) })
	if !known {
		s.provided = slices.Insert(s.provided, i, provided{from: from})
	}
	s.provided[i].list = list
	s.publishLocked(false)
}

// abandon forgets what a source knows.
func (s *liveService) abandon(from *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.provided)
	s.provided = slices.DeleteFunc(s.provided, func(p provided) bool { return p.from == from })
	if len(s.provided) < before {
		s.publishLocked(false)
	}
}

// offersLocked returns all that was offered, each name once: first what the
// configuration says, then what was put at run time, then the sources in their order.
// What was put under a name, or removed, is what counts.
func (s *liveService) offersLocked() []offer {
	lists := [][]offer{s.configured, s.put}
	for _, p := range s.provided {
		lists = append(lists, p.list)
	}
	put := make(map[string]offer, len(s.put))
	for _, o := range s.put {
		put[o.Name] = o
	}
	all := slices.DeleteFunc(merge(lists), func(o offer) bool { return s.edited.removed[o.Name] })
	for i := range all {
		if o, ok := put[all[i].Name]; ok {
			all[i] = o
		}
	}
	return all
}

// secureLocked has endpoints that the configuration does not list be verified as it
// says now. Where the files for that cannot be read, the old ones go on.
func (s *liveService) secureLocked(c config.Service) {
	s.put = s.secured(s.put, c)
	for i := range s.provided {
		s.provided[i].list = s.secured(s.provided[i].list, c)
	}
}

func (s *liveService) secured(list []offer, c config.Service) []offer {
	list = slices.Clone(list)
	for i, o := range list {
		next, wrong := newOffer(o.Endpoint, config.Endpoint{Headers: o.headers}, c)
		if wrong != nil {
			s.proxy.log.Error("an endpoint is verified as before", "service", s.fullName(), "endpoint", o.Name, "error", wrong)
			continue
		}
		next.from = o.from
		list[i] = next
	}
	return list
}

func (s *liveService) key() serviceKey { return serviceKey{s.name, s.version} }

// fullName is how people call a service, or a version of it.
func fullName(name, version string) string {
	if version == "" {
		return name
	}
	return name + "@" + version
}

// join puts a worker on the roll, and announce has requests go there; false if the
// service was forgotten. It is called by one at a time.
func (s *liveService) join(w *worker) bool {
	if s.roll.succeeds(w) {
		s.announce() // the pool would take the one for the other
	}
	return s.roll.join(w)
}

// announce makes those on the roll, with what was offered, the members of the pool.
// That takes longer the more there are; so what has changed while it was done for
// somebody else is announced at once. Thousands that come in one moment would take
// the square of their number otherwise.
func (s *liveService) announce() {
	wanted := s.roll.now()
	s.telling.Lock()
	defer s.telling.Unlock()
	if s.told >= wanted {
		return
	}
	s.pause()
	began := exchange.Now()
	s.mu.Lock()
	s.told = s.publishLocked(false)
	s.mu.Unlock()
	s.over = exchange.Now()
	s.took = s.over - began
}

// Announcing has a quarter of one processor at most, as long as a change need not
// wait for longer than maxPause because of that.
const (
	pauses   = 3 // for each time that it took
	maxPause = 50 * time.Millisecond
)

// pause waits if others have been announced just now: more may come meanwhile.
func (s *liveService) pause() {
	until := s.over + min(pauses*s.took, maxPause)
	time.Sleep(until - exchange.Now()) // not at all, as a rule
}

// publishLocked changes the members of the pool, and returns the version of the roll
// that they are. anew says that the settings have changed by which endpoints are
// reached.
func (s *liveService) publishLocked(anew bool) (version uint64) {
	endpoints, transports, left := s.reachLocked(anew)
	offered := len(endpoints)
	for _, w := range s.roll.reserve(namesOf(endpoints)) {
		w.member = nil // it comes by another name
	}
	workers, dialedIn, version := s.roll.announced()
	for i, w := range workers {
		if w.member == nil {
			transports[dialedIn[i].Name] = &w.attached
		}
	}
	endpoints = append(endpoints, dialedIn...)
	s.counted.Retain(namesOf(endpoints)) // before the first request goes there
	s.members.Update(endpoints, s.edited.drained, func(e endpoint.Endpoint) service.Transport { return transports[e.Name] })
	for i, m := range s.members.Members()[offered:] {
		workers[i].member = m
	}
	for _, r := range left {
		r.Close() // what it carries goes on
	}
	return version
}

// heed sees how many requests a worker takes at a time now.
func (s *liveService) heed(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.member != nil { // else it will be seen when it is announced
		s.members.Limit(w.member, w.attached.Capacity())
	}
}

func namesOf(endpoints []endpoint.Endpoint) []string {
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.Name
	}
	return names
}

// served reports whether somebody serves it, or has been known to, beside what the
// configuration says.
func (s *liveService) served() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle, _ := s.roll.idle()
	return !idle || len(s.provided) > 0 || len(s.put) > 0
}

// idle reports whether nobody serves it at present, and since when no worker does.
func (s *liveService) idle() (idle bool, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle, since = s.roll.idle()
	return idle && len(s.offersLocked()) == 0, since
}

// drop gives a service nothing more, and nobody can join it. Requests that it has go
// on.
func (s *liveService) drop() {
	s.roll.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configured, s.provided, s.put = nil, nil, nil
	s.publishLocked(false)
}

// forget ends a service that nobody serves.
func (s *liveService) forget() {
	s.drop()
	s.close()
}

// close ends what goes on in the background, and closes what is not in use.
func (s *liveService) close() {
	s.members.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reached {
		r.Close()
	}
}

// clientTLS returns how its endpoints are verified.
func (s *liveService) clientTLS() (list []*clientTLS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reached {
		if r.offer.secure != nil {
			list = append(list, r.offer.secure)
		}
	}
	return list
}
