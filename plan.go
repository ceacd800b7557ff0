package weir

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/forwarding"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/ratelimit"
	"github.com/weirproxy/weir/internal/router"
	"github.com/weirproxy/weir/internal/shape"
)

// A plan is what was decided from a configuration: who gets which request. It is
// immutable, and replaced as a whole; what lives (services, connections) is behind
// it and outlives it.
type plan struct {
	cfg        *Config
	forwarding forwarding.Policy
	normalize  bool
	problems   exchange.Problems
	extractor  Extractor // nil: routes decide
	routes     *router.Table[target]
	services   *catalog
	// settings are those of services that the configuration does not name.
	settings config.Service
	// listed are the services and versions that the configuration names, and fresh
	// those of them that begin with this plan. They are in the catalog already.
	listed map[serviceKey]*liveService
	fresh  []*liveService
	// offers are the endpoints of the configuration.
	offers map[serviceKey][]offer
	// limits are the rate limits of routes, by what they are for.
	limits map[string]*ratelimit.Limiter
	// programs are the steps of routes.
	programs []*shape.Program
	// notes are what is noted of responses for the access log.
	notes []note
	// sources are where further endpoints come from.
	sources []*source
}

// A serviceKey names a service, or one version of it.
type serviceKey struct{ name, version string }

// String is how people call it.
func (k serviceKey) String() string { return fullName(k.name, k.version) }

// newPlan makes the plan of a configuration, with the services and sources that there
// are already; what is wrong with it is noted in found. Nothing takes effect before
// [Proxy.enact].
func newPlan(p *Proxy, c *Config, found *problems) *plan {
	pl := &plan{
		cfg:        c,
		forwarding: forwarding.Policy{Trusted: c.TrustedProxies},
		normalize:  c.Paths == "normalize",
		problems:   exchange.Problems{Verbose: c.Errors == "verbose"},
		extractor:  p.extractor,
		services:   p.services,
		settings:   unlistedSettings(c),
		offers:     map[serviceKey][]offer{},
		limits:     map[string]*ratelimit.Limiter{},
	}
	var keys []serviceKey
	for _, l := range listings(c) {
		keys = append(keys, l.key)
		pl.offers[l.key] = newOffers(c.Services[l.key.name], l, found)
		pl.sources = append(pl.sources, newSources(p, l, found)...)
	}
	pl.listed, pl.fresh = p.services.adopt(keys, func(key serviceKey) *liveService {
		return newLiveService(p, key, c.Services[key.name], true)
	})
	pl.routes = pl.newRoutes(p, found)
	pl.checkExpressions(p, found)
	pl.notes = p.notes(c)
	return pl
}

// A listing is what the configuration says, at path, of who serves a service or a
// version.
type listing struct {
	key       serviceKey
	endpoints []config.Endpoint
	provider  *config.Provider
	path      string
}

// listings returns those of a configuration, by name and version.
func listings(c *Config) (list []listing) {
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		s, path := c.Services[name], config.Below("services", name)
		list = append(list, listing{serviceKey{name, ""}, s.Endpoints, s.Provider, path})
		for _, version := range slices.Sorted(maps.Keys(s.Versions)) {
			v, below := s.Versions[version], config.Below(config.Below(path, "versions"), version)
			list = append(list, listing{serviceKey{name, version}, v.Endpoints, v.Provider, below})
		}
	}
	return list
}

// discard ends what begins with a plan that is not enacted, unless somebody has come
// to serve it meanwhile.
func (pl *plan) discard(p *Proxy) {
	var idle []*liveService
	for _, s := range pl.fresh {
		if running := p.plan.Load(); running != nil && s.served() {
			s.describe(running.settingsOf(s.name), false, nil)
			continue
		}
		idle = append(idle, s)
	}
	p.services.remove(idle)
	for _, s := range idle {
		s.forget()
	}
}

// enact has requests go by a plan from now on.
func (p *Proxy) enact(pl *plan) {
	p.cfg.Store(pl.cfg)
	var dropped []*liveService
	for _, s := range p.services.list() {
		listed := pl.listed[s.key()] == s
		if s.isListed() && !listed && !s.served() {
			dropped = append(dropped, s)
			continue
		}
		s.describe(pl.settingsOf(s.name), listed, pl.offers[s.key()])
	}
	p.skipping.Lock()
	if before := p.plan.Swap(pl); before != nil {
		p.skipped = before.skipped(p.skipped)
	}
	p.skipping.Unlock()
	p.services.remove(dropped)
	for _, s := range dropped {
		p.retire(s)
	}
	p.follow(append(pl.sources, p.own...))
}

// retire ends a service that is no more, once nobody waits for it.
func (p *Proxy) retire(s *liveService) {
	s.drop()
	p.retiring.Go(func() {
		for s.Pool().Waiting() > 0 && !p.draining.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		s.close()
	})
}

func routePath(i int) string { return fmt.Sprintf("routes[%d]", i) }

func (pl *plan) newRoutes(p *Proxy, found *problems) *router.Table[target] {
	s := &shaper{found: found, compiler: p.compiler}
	var routes []router.Route[target]
	for i, r := range pl.cfg.Routes {
		t := newTarget(r, pl.listed)
		t.when = s.expression(routePath(i)+".match.when", r.Match.When, shape.RequestSide, shape.Bool)
		t.shaping = pl.shaping(p, r, routePath(i), s)
		if r.StripPrefix != "" {
			strip, err := router.NewPrefix(r.StripPrefix, r.Match.Path)
			if err != nil {
				found.add(routePath(i)+".strip_prefix", err)
			}
			t.strip = strip
		}
		route := router.Route[target]{Host: r.Match.Host, Path: r.Match.Path, Methods: r.Match.Methods, Guard: r.Match.When, Target: t}
		for name, value := range r.Match.Headers {
			route.Headers = append(route.Headers, router.HeaderCondition{Name: name, Value: value})
		}
		routes = append(routes, route)
	}
	table, err := router.New(routes)
	if err != nil {
		found.addRoutes(err)
	}
	return table
}

// newOffers returns the endpoints of a listing, of a service with settings c.
func newOffers(c config.Service, l listing, found *problems) (offers []offer) {
	for i, e := range l.endpoints {
		path := fmt.Sprintf("%s.endpoints[%d]", l.path, i)
		address, err := endpoint.ParseAddress(e.URL)
		if err != nil {
			found.add(path+".url", err)
			continue
		}
		described := endpoint.Endpoint{
			Name: e.Name, Address: address, Weight: e.Weight, Concurrency: max(0, e.Concurrency), Zone: e.Zone, Labels: e.Labels,
		}
		o, wrong := newOffer(described, e, c)
		if wrong != nil {
			if e.TLS == nil {
				path = config.Below("services", l.key.name)
			}
			found.add(path+".tls."+wrong.key, wrong.err)
			continue
		}
		o.from = fromConfig
		offers = append(offers, o)
	}
	nameOffers(offers)
	return offers
}

// requestHead is what is added to the head of every request to an endpoint.
func requestHead(s config.Service, o offer) http1.RequestHead {
	a := o.Address
	h := http1.RequestHead{
		BasePath: a.BasePath, BaseQuery: a.BaseQuery,
		FallbackHost: a.Authority(), Host: sentHost(s, a.Authority()),
	}
	for _, f := range o.headers {
		name := []byte(f.Name)
		h.Headers = append(h.Headers, exchange.Field{Name: name, Value: []byte(f.Value), ID: http1.FieldIDOf(name)})
	}
	return h
}

// sentHost is the Host that an endpoint sees, which calls itself own; empty is the
// client's.
func sentHost(s config.Service, own string) string {
	switch s.Host {
	case "preserve":
		return ""
	case "endpoint":
		return own
	default:
		return s.Host
	}
}

// checkExpressions notes what is wrong with the expressions of services and of the
// access log.
func (pl *plan) checkExpressions(p *Proxy, found *problems) {
	s := &shaper{found: found, compiler: p.compiler}
	for _, name := range slices.Sorted(maps.Keys(pl.cfg.Services)) {
		c, path := pl.cfg.Services[name], config.Below("services", name)
		if c.HashOn != "" && !config.IsSelector(c.HashOn) {
			s.expression(config.Below(path, "hash_on"), c.HashOn, shape.RequestSide, shape.Text)
		}
		s.expression(config.Below(path, "usable"), c.Usable.Expression(), shape.ResponseSide, shape.Bool)
	}
	if log := pl.cfg.AccessLog; log != nil {
		for _, f := range log.Fields {
			s.expression(config.Below("access_log.fields", f.Name), f.Value, shape.ResponseSide, shape.Any)
		}
	}
}
