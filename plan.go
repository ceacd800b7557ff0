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
	"github.com/weirproxy/weir/internal/router"
)

// A plan is what was decided from a configuration: who gets which request. It is
// immutable, and replaced as a whole; what lives (services, connections) is behind
// it and outlives it.
type plan struct {
	cfg        *Config
	forwarding forwarding.Policy
	normalize  bool
	problems   exchange.Problems
	routes     *router.Table[target]
	services   *catalog
	// settings are those of services that the configuration does not name.
	settings config.Service
	// fresh are the services that begin with this plan.
	fresh []*liveService
	// offers are the endpoints of the configuration, by the full name of their
	// service.
	offers map[string][]offer
}

// newPlan makes the plan of a configuration, with the services that there are
// already; what is wrong with it is noted in found. Nothing takes effect before
// [Proxy.enact].
func newPlan(p *Proxy, c *Config, found *problems) *plan {
	pl := &plan{
		cfg:        c,
		forwarding: forwarding.Policy{Trusted: c.TrustedProxies},
		normalize:  c.Paths == "normalize",
		problems:   exchange.Problems{Verbose: c.Errors == "verbose"},
		services:   p.services,
		settings:   unlistedSettings(c),
		offers:     map[string][]offer{},
	}
	listed := map[string]*liveService{}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		pl.offers[name] = newOffers(c.Services[name], name, found)
		s := p.services.find([]byte(name), nil)
		if s == nil {
			s = newLiveService(p, name, "", c.Services[name])
			pl.fresh = append(pl.fresh, s)
		}
		listed[name] = s
	}
	pl.routes = newRoutes(c.Routes, listed, found)
	return pl
}

// discard ends what begins with a plan that is not enacted.
func (pl *plan) discard() {
	for _, s := range pl.fresh {
		s.close()
	}
}

// enact has requests go by a plan from now on.
func (p *Proxy) enact(pl *plan) {
	p.cfg.Store(pl.cfg)
	p.services.add(pl.fresh)
	var dropped []*liveService
	for _, s := range p.services.list() {
		_, listed := pl.cfg.Services[s.name]
		listed = listed && s.version == ""
		if s.isListed() && !listed && !s.served() {
			dropped = append(dropped, s)
			continue
		}
		s.describe(pl.settingsOf(s.name), listed, pl.offers[s.fullName()])
	}
	p.plan.Store(pl)
	p.services.remove(dropped)
	for _, s := range dropped {
		p.retire(s)
	}
	p.observer.Retain(p.services.endpointNames())
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

func newRoutes(list []config.Route, services map[string]*liveService, found *problems) *router.Table[target] {
	var routes []router.Route[target]
	for i, r := range list {
		t := newTarget(r, services)
		if r.StripPrefix != "" {
			strip, err := router.NewPrefix(r.StripPrefix, r.Match.Path)
			if err != nil {
				found.add(routePath(i)+".strip_prefix", err)
			}
			t.strip = strip
		}
		route := router.Route[target]{Host: r.Match.Host, Path: r.Match.Path, Methods: r.Match.Methods, Target: t}
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

// newOffers returns the endpoints of a service as the configuration has them.
func newOffers(c config.Service, name string, found *problems) (offers []offer) {
	for i, e := range c.Endpoints {
		address, err := endpoint.ParseAddress(e.URL)
		if err != nil {
			found.add(fmt.Sprintf("services.%s.endpoints[%d].url", name, i), err)
			continue
		}
		described := endpoint.Endpoint{
			Name: e.Name, Address: address, Weight: e.Weight, Concurrency: max(0, e.Concurrency),
		}
		o, wrong := newOffer(described, e, c)
		if wrong != nil {
			found.add(tlsPath(name, i, e)+"."+wrong.key, wrong.err)
			continue
		}
		offers = append(offers, o)
	}
	nameOffers(offers)
	return offers
}

// tlsPath is where the tls of an endpoint stands: its own, or its service's.
func tlsPath(service string, i int, e config.Endpoint) string {
	if e.TLS != nil {
		return fmt.Sprintf("services.%s.endpoints[%d].tls", service, i)
	}
	return fmt.Sprintf("services.%s.tls", service)
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
