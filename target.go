package weir

import (
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/router"
	"github.com/weirproxy/weir/internal/shape"
)

// A target is what becomes of the requests of a route.
type target struct {
	// fixed is the service, or the version of it, which the configuration names; nil if
	// it is to be looked up for each request, by name and version.
	fixed         *liveService
	name, version part
	// fallThrough has the next route that matches take the requests when there is
	// no such service.
	fallThrough bool
	when        *shape.Expression // nil: it always holds
	shaping     *shaping          // nil: what passes stays as it is
	strip       *router.Prefix    // nil: nothing is taken off
	timeout     time.Duration
}

// A part is the name of a service or of a version: a text, or what a segment of
// the path is.
type part struct {
	text    []byte
	capture string // empty: it is the text
}

func newTarget(r config.Route, services map[serviceKey]*liveService) target {
	t := target{fallThrough: r.Fallthrough, timeout: r.Timeout.Std()}
	written, err := config.ParseTarget(r.Service)
	if err != nil {
		return t // the configuration is valid: this cannot be
	}
	t.name, t.version = newPart(written.Service), newPart(written.Version)
	if !written.IsTemplate() {
		t.fixed = services[serviceKey{written.Service.Text, written.Version.Text}]
	}
	return t
}

func newPart(n config.TargetName) part {
	if n.Capture {
		return part{capture: n.Text}
	}
	return part{text: []byte(n.Text)}
}

// service returns the service of a request that the route has matched; nil if
// there is none.
func (t *target) service(m *router.Match[target], services *catalog) *liveService {
	if t.fixed != nil {
		return t.fixed
	}
	return services.find(t.name.of(m), t.version.of(m))
}

func (p *part) of(m *router.Match[target]) []byte {
	if p.capture == "" {
		return p.text
	}
	text, _ := m.Capture(p.capture)
	return text
}

// stripFrom takes off the path what the route takes off.
func (t *target) stripFrom(x *exchange.Exchange) {
	if t.strip == nil {
		return
	}
	if rest, ok := t.strip.Strip(x.Request.Path); ok {
		x.Request.Path = rest
	}
}
