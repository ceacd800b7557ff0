package weir

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/router"
)

// Serve implements exchange.Handler: it is where requests from all listeners
// come in.
func (pl *plan) Serve(x *exchange.Exchange) {
	pl.forwarding.Apply(x)
	received := x.Request.Path
	if len(pl.notes) > 0 {
		pl.routeNoting(x)
	} else {
		pl.route(x)
	}
	x.Request.Path = received // which is what the access log shows
}

func (pl *plan) route(x *exchange.Exchange) {
	if !pl.resolveDots(x) {
		_ = pl.problems.Respond(x, exchange.Fail(exchange.CodeDotSegments, "", nil))
		return
	}
	if pl.extractor != nil && pl.extract(x) {
		return
	}
	req := &x.Request
	var m router.Match[target]
	verdict := pl.routes.Match(req.Authority, req.Path, req.MethodName, req, &m)
	for ; verdict == router.Found; verdict = m.Next() {
		if m.Target.when != nil && !pl.holds(x, &m) {
			continue
		}
		if s := m.Target.service(&m, pl.services); s != nil {
			pl.serve(x, &m, s)
			return
		}
		if !m.Target.fallThrough {
			_ = pl.problems.Respond(x, exchange.Fail(exchange.CodeUnknownService, "", nil))
			return
		}
	}
	pl.refuse(x, verdict, &m)
}

// holds reports whether the route that was matched is for the request: one whose
// expression fails is not. As with pass, its frame is its own.
//
//go:noinline
func (pl *plan) holds(x *exchange.Exchange, m *router.Match[target]) bool {
	p := pl.begin(x, m)
	ok, err := m.Target.when.Bool(p.view)
	p.end()
	return ok && err == nil
}

// serve has a service answer a request of a route that has matched.
func (pl *plan) serve(x *exchange.Exchange, m *router.Match[target], s *liveService) {
	t := m.Target
	if t.shaping != nil {
		pl.pass(x, m, s)
		return
	}
	t.stripFrom(x)
	pl.dispatch(x, s, t.timeout)
}

// dispatch has a service, or the version of it that its split says, answer a request.
func (pl *plan) dispatch(x *exchange.Exchange, s *liveService, timeout time.Duration) {
	now := s.now.Load()
	if now.split != nil {
		if version := now.split.choose(x, s.name, pl.services, &s.turn); version != nil {
			now = version.now.Load()
		}
	}
	now.ServeWithin(x, timeout)
}

// refuse answers a request that no route takes.
func (pl *plan) refuse(x *exchange.Exchange, verdict router.Verdict, m *router.Match[target]) {
	f := exchange.Fail(exchange.CodeNoRoute, "", nil)
	if verdict == router.MethodNotAllowed {
		f = exchange.Fail(exchange.CodeMethodNotAllowed, "", nil)
		f.Allow = string(m.AppendAllow(nil))
	}
	_ = pl.problems.Respond(x, f)
}

// resolveDots sees to it that the path which is matched is the one that an
// endpoint will make of it; false if the request is to be refused.
func (pl *plan) resolveDots(x *exchange.Exchange) bool {
	req := &x.Request
	if router.CheckPath(req.Path) == nil {
		return true
	}
	if !pl.normalize {
		return false
	}
	at := len(x.Scratch)
	normal, ok := router.Normalize(x.Scratch, req.Path)
	if !ok {
		return false
	}
	x.Scratch = normal
	req.Path = normal[at:]
	return true
}
