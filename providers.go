package weir

import (
	"context"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
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
func WithProvider(service string, source provider.Provider) Option {
	return func(p *Proxy) { p.sources = append(p.sources, &watched{service: service, source: source}) }
}

// A watched source is one that tells of endpoints while the proxy lives.
type watched struct {
	service string
	source  provider.Provider
	// versions are those that it has told of.
	versions map[string]bool
}

// watch follows all sources until ctx ends.
func (p *Proxy) watch(ctx context.Context) {
	for _, w := range p.sources {
		w.versions = map[string]bool{}
		p.watching.Go(func() {
			err := w.source.Watch(ctx, func(u provider.Update) { p.take(w, u) })
			if err != nil && ctx.Err() == nil {
				p.log.Error("a source of endpoints has ended; those that it has told of stay", "service", w.service, "error", err)
			}
		})
	}
}

// take makes what a source has told the endpoints of its service.
func (p *Proxy) take(w *watched, u provider.Update) {
	if u.Err != nil {
		p.log.Warn("a source of endpoints cannot be asked; those that it has told of stay", "service", w.service, "error", u.Err)
		return
	}
	byVersion := map[string][]endpoint.Endpoint{}
	for _, e := range u.Endpoints {
		byVersion[e.Version] = append(byVersion[e.Version], e)
		w.versions[e.Version] = true
	}
	for version := range w.versions {
		p.provide(w, version, byVersion[version])
	}
}

// provide makes these all that a source knows of one version of its service.
func (p *Proxy) provide(w *watched, version string, list []endpoint.Endpoint) {
	s, err := p.serviceFor(w.service, version)
	if err != nil {
		p.log.Error("endpoints were left out", "service", fullName(w.service, version), "error", err)
		return
	}
	var offers []offer
	for _, e := range list {
		o, wrong := newOffer(e, config.Endpoint{}, s.settings())
		if wrong != nil {
			p.log.Error("an endpoint was left out", "service", s.fullName(), "endpoint", e.Address.String(), "error", wrong)
			continue
		}
		offers = append(offers, o)
	}
	nameOffers(offers)
	s.provide(w, offers)
}
