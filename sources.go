package weir

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/provider"
)

// WithProvider has endpoints of a service come from a source of one's own, too,
// beside those that the configuration lists and the workers that dial in. It may be
// given several times, also for one service: what the sources tell is merged by name,
// and the first that was given describes an endpoint that several know. Endpoints
// with a Version belong to that version of the service.
//
// A service that the configuration does not name has the settings of service default
// if there is one, else all defaults; requests reach it by routes that take the
// service from the path.
func WithProvider(service string, from provider.Provider) Option {
	return func(p *Proxy) {
		p.own = append(p.own, &source{key: serviceKey{service, ""}, kind: "own", rank: ownRank + len(p.own), provider: from})
	}
}

// ownRank is where the sources begin that a program has of its own.
const ownRank = 100

// A source is one that tells of endpoints while the proxy lives: what has become of a
// provider of the configuration, or of a program's own.
type source struct {
	key      serviceKey // with a version, all its endpoints are of that
	kind     string     // as people call it
	rank     int        // among the sources of its service
	age      int        // how many were watched before it: the younger comes first
	settings any        // what it was made of; nil if a program has made it
	provider provider.Provider

	stop    context.CancelFunc
	stopped chan struct{} // closed when it tells nothing any more
	// before is the source whose place it takes once it has told something.
	before *source
	// told are the services that it has told of.
	told  map[string]*liveService
	state atomic.Pointer[sourceState]
}

// A sourceState is what is known of a source.
type sourceState struct {
	since     time.Time
	err       error // why it cannot be asked; nil if it can
	ever      bool  // it has told something
	endpoints int
}

// word is the state in one word.
func (s *sourceState) word() string {
	switch {
	case s.err != nil:
		return "failing"
	case !s.ever:
		return "starting"
	}
	return "ok"
}

// compare orders the sources of a service.
func (s *source) compare(other *source) int {
	return cmp.Or(cmp.Compare(s.rank, other.rank), cmp.Compare(other.age, s.age))
}

// same reports whether both are the same source, or were made of the same.
func (s *source) same(other *source) bool {
	return s == other || s.settings != nil && s.key == other.key && s.kind == other.kind && reflect.DeepEqual(s.settings, other.settings)
}

// replaces reports whether s stands where other stood.
func (s *source) replaces(other *source) bool { return s.key == other.key && s.rank == other.rank }

// follow has endpoints come from these sources, and no others, from now on. A source
// that is the same as before goes on; one that takes the place of another leaves that
// one's endpoints until it has told its own.
func (p *Proxy) follow(next []*source) {
	before, now := slices.Clone(p.following()), make([]*source, len(next))
	for n, s := range next {
		now[n] = s
		if i := slices.IndexFunc(before, s.same); i >= 0 {
			now[n] = before[i]
			before = slices.Delete(before, i, i+1)
		}
	}
	for _, old := range before {
		p.part(old, now)
	}
	p.sources.Store(&now)
	for _, s := range now {
		if s.stop == nil {
			p.watch(s)
		}
	}
}

// following returns the sources that endpoints come from.
func (p *Proxy) following() []*source {
	if list := p.sources.Load(); list != nil {
		return *list
	}
	return nil
}

// part stops a source. What it has told stays for as long as one that has its place
// has told nothing.
func (p *Proxy) part(old *source, now []*source) {
	old.stop()
	for _, s := range now {
		if s.stop == nil && s.replaces(old) {
			s.before = old
			return
		}
	}
	p.watching.Go(old.retract)
}

// watch listens to a source until it is stopped.
func (p *Proxy) watch(s *source) {
	ctx, stop := context.WithCancel(p.sourcesCtx)
	p.watched++
	s.age, s.stop, s.stopped, s.told = p.watched, stop, make(chan struct{}), map[string]*liveService{}
	s.state.Store(&sourceState{since: time.Now()})
	p.watching.Go(func() {
		defer close(s.stopped)
		err := s.provider.Watch(ctx, func(u provider.Update) { p.take(s, u) })
		if err != nil && ctx.Err() == nil {
			p.log.Error("a source of endpoints has ended; those that it has told of stay", "service", s.key.String(), "source", s.kind, "error", err)
			s.note(err)
		}
	})
}

// note remembers why a source cannot be asked.
func (s *source) note(err error) {
	now := *s.state.Load()
	if now.err == nil || now.err.Error() != err.Error() {
		now.since = time.Now()
	}
	now.err = err
	s.state.Store(&now)
}

// take makes what a source has told the endpoints of its service.
func (p *Proxy) take(s *source, u provider.Update) {
	if u.Err != nil {
		s.note(u.Err)
		p.log.Warn("a source of endpoints cannot be asked; those that it has told of stay", "service", s.key.String(), "source", s.kind, "error", u.Err)
		p.sourceChanged(s)
		return
	}
	was := s.state.Load()
	byVersion := map[string][]endpoint.Endpoint{}
	for _, e := range u.Endpoints {
		version := cmp.Or(s.key.version, e.Version)
		byVersion[version] = append(byVersion[version], e)
	}
	for version := range s.told {
		if _, ok := byVersion[version]; !ok {
			byVersion[version] = nil
		}
	}
	for version, list := range byVersion {
		p.provide(s, version, list)
	}
	if s.before != nil {
		s.before.retract()
		s.before = nil
	}
	s.state.Store(&sourceState{since: time.Now(), ever: true, endpoints: len(u.Endpoints)})
	if was.err != nil || !was.ever {
		p.sourceChanged(s)
	}
}

// provide makes these all that a source knows of one version of its service.
func (p *Proxy) provide(from *source, version string, list []endpoint.Endpoint) {
	s, err := p.serviceFor(from.key.name, version)
	if err != nil {
		p.log.Error("endpoints were left out", "service", fullName(from.key.name, version), "source", from.kind, "error", err)
		return
	}
	var offers []offer
	for _, e := range list {
		o, wrong := newOffer(e, config.Endpoint{}, s.settings())
		if wrong != nil {
			p.log.Error("an endpoint was left out", "service", s.fullName(), "endpoint", e.Address.String(), "error", wrong)
			continue
		}
		o.from = from.kind
		offers = append(offers, o)
	}
	nameOffers(offers)
	from.told[version] = s
	s.provide(from, offers)
}

// retract takes back all that a source has told, once it has stopped.
func (s *source) retract() {
	<-s.stopped
	for _, service := range s.told {
		service.abandon(s)
	}
	if s.before != nil { // it has told nothing
		s.before.retract()
	}
}

// sourceChanged tells whoever listens that a source can be asked again, or cannot.
func (p *Proxy) sourceChanged(s *source) {
	e := observe.Event{Time: time.Now(), Type: "source_state", Service: s.key.String(), Source: s.kind}
	state := s.state.Load()
	e.To = state.word()
	if state.err != nil {
		e.Reason = state.err.Error()
	}
	p.events.Publish(e)
}
