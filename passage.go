package weir

import (
	"crypto/tls"
	"errors"
	"sync"

	"github.com/weirproxy/weir/internal/compress"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/maxbody"
	"github.com/weirproxy/weir/internal/ratelimit"
	"github.com/weirproxy/weir/internal/router"
	"github.com/weirproxy/weir/internal/shape"
)

// A passage is an exchange on a route that shapes what passes. It stands between the
// client and the service, as the responder of the exchange:
//
//	request ─▶ access ─▶ preflight ─▶ rate limit ─▶ size ─▶ Forwarded, Via ─▶ steps ─▶ service
//	                                                                                     │
//	client ◀─────── CORS ◀─── compression ◀─── steps ◀─── Via ◀──────────────────────────┘
type passage struct {
	exchange.Responder // the client's
	plan               *plan
	x                  *exchange.Exchange
	route              *target
	service            *liveService
	view               *shape.View
	captured           router.Match[target]
	choice             compress.Choice
	ours               bool // the response is a step's
}

var passages = sync.Pool{New: func() any { return new(passage) }}

// pass serves x on a route that shapes what passes. The head is afterwards as it was
// received.
//
//go:noinline
func (pl *plan) pass(x *exchange.Exchange, m *router.Match[target], t *target, s *liveService) {
	p := passages.Get().(*passage)
	p.Responder, p.plan, p.x, p.route, p.service, p.captured = x.Responder, pl, x, t, s, *m
	received := x.Request
	x.Responder = p
	p.serve()
	x.Responder, x.Request = p.Responder, received
	if p.view != nil {
		p.view.Release()
	}
	*p = passage{}
	passages.Put(p)
}

func (p *passage) serve() {
	x, sh := p.x, p.route.shaping
	if f := p.refuse(); f != nil {
		_ = p.plan.problems.Respond(x, f)
		return
	}
	if sh.cors != nil {
		if answer := sh.cors.Preflight(x); answer != nil {
			_ = p.Responder.Respond(answer) // it has all fields already
			return
		}
	}
	if f := p.limit(); f != nil {
		_ = p.plan.problems.Respond(x, f)
		return
	}
	if sh.compress != nil {
		p.choice = sh.compress.Negotiate(&x.Request)
	}
	p.route.stripFrom(x)
	sh.extras.Apply(x)
	if sh.steps != nil && !p.steps() {
		return
	}
	p.plan.dispatch(x, p.service, p.route.timeout)
}

// refuse returns why the client is not let in.
func (p *passage) refuse() *exchange.Failure { return p.route.shaping.access.Check(p.x) }

// limit returns why the request is one too many, or too large.
func (p *passage) limit() *exchange.Failure {
	sh := p.route.shaping
	if sh.limit != nil {
		if f := sh.limit.Check(p.key()); f != nil {
			return f
		}
	}
	if sh.maxBody > 0 {
		if f := maxbody.Check(p.x, sh.maxBody); f != nil {
			return f
		}
	}
	return nil
}

// key is what a rate limit knows the client by. An expression that fails is an empty
// key, which all such requests share.
func (p *passage) key() []byte {
	x, at := p.x, len(p.x.Scratch)
	if key := p.route.shaping.limit.key; key != nil {
		text, err := key.AppendText(x.Scratch, p.see())
		if err != nil {
			return nil
		}
		x.Scratch = text
	} else {
		x.Scratch = ratelimit.AppendAddr(x.Scratch, x.Client.Addr)
	}
	return x.Scratch[at:]
}

// see returns what expressions see of the exchange.
func (p *passage) see() *shape.View {
	if p.view == nil {
		p.view = viewOf(p.x, &p.captured)
	}
	p.view.Service, p.view.Version = p.service.name, p.service.version
	return p.view
}

// steps does the steps of the request; false if that has answered it.
func (p *passage) steps() bool {
	v, err := p.route.shaping.steps.Request(p.see())
	switch {
	case err != nil:
		_ = p.plan.problems.Respond(p.x, failureOf(err))
		return false
	case v.Response != nil:
		p.ours = true
		_ = p.Respond(v.Response)
		return false
	case v.Service != "":
		to := p.plan.services.version(v.Service, []byte(v.Version))
		if to == nil {
			_ = p.plan.problems.Respond(p.x, exchange.Fail(exchange.CodeUnknownService, "", nil))
			return false
		}
		p.service = to
	}
	return true
}

// Respond implements exchange.Responder.
func (p *passage) Respond(resp *exchange.Response) error {
	x, sh := p.x, p.route.shaping
	if err := p.shape(resp); err != nil {
		return p.fail(err)
	}
	if sh.compress != nil {
		body := sh.compress.Encode(p.choice, x, resp)
		defer body.Release()
	}
	if sh.cors != nil {
		sh.cors.OnResponse(x, resp)
	}
	return p.Responder.Respond(resp)
}

// shape does with a response what the route says.
func (p *passage) shape(resp *exchange.Response) error {
	sh := p.route.shaping
	switch {
	case p.ours:
		return nil
	case p.x.Outcome.Failure != nil: // it is Weir's own
		if sh.steps == nil || !sh.steps.HasErrors() {
			return nil
		}
		return sh.steps.OwnResponse(p.see(), resp)
	}
	sh.extras.OnResponse(p.x, resp)
	if sh.steps == nil || !sh.steps.HasResponse() {
		return nil
	}
	view := p.see()
	view.Endpoint = p.endpoint()
	return sh.steps.Response(view, resp)
}

// fail answers instead of a response that could not be shaped.
func (p *passage) fail(err error) error {
	f := failureOf(err)
	p.ours = true // it is not to be shaped again
	if answered := p.plan.problems.Respond(p.x, f); answered != nil {
		return answered
	}
	if f.Code == exchange.CodeExpressionFailed {
		return nil // the endpoint did well
	}
	return f
}

// failureOf is why an exchange is over that steps have ended.
func failureOf(err error) *exchange.Failure {
	var f *exchange.Failure
	if errors.As(err, &f) {
		return f
	}
	return exchange.Fail(exchange.CodeExpressionFailed, "", err)
}

// endpoint is what expressions see of who has answered; nil if nobody has.
func (p *passage) endpoint() *shape.Endpoint {
	out := &p.x.Outcome
	s := p.plan.services.full(out.Service)
	if s == nil {
		return nil
	}
	members := s.members.Members()
	if out.Index < 0 || out.Index >= len(members) || members[out.Index].Endpoint.Name != out.Endpoint {
		return nil // it has left since
	}
	e := members[out.Index].Endpoint
	return &shape.Endpoint{Name: e.Name, URL: e.Address.String(), Version: s.version, Zone: e.Zone, Labels: e.Labels}
}

// viewOf returns what expressions see of an exchange; m is the route that has matched,
// nil if that does not matter.
func viewOf(x *exchange.Exchange, m *router.Match[target]) *shape.View {
	v := shape.Borrow(x)
	if m != nil {
		v.Captures = func(name string) []byte {
			text, _ := m.Capture(name)
			return text
		}
	}
	v.TLS = tlsFacts(x.Client.Connection)
	return v
}

// tlsFacts is what expressions see of a connection; nil if it is in clear text.
func tlsFacts(c *tls.ConnectionState) *shape.TLS {
	if c == nil {
		return nil
	}
	facts := &shape.TLS{Version: tlsVersions[c.Version], ServerName: c.ServerName}
	if len(c.VerifiedChains) > 0 {
		leaf := c.PeerCertificates[0]
		facts.Subject = leaf.Subject.String()
		facts.SANs = append(facts.SANs, leaf.DNSNames...)
		for _, u := range leaf.URIs {
			facts.SANs = append(facts.SANs, u.String())
		}
		for _, ip := range leaf.IPAddresses {
			facts.SANs = append(facts.SANs, ip.String())
		}
		facts.SANs = append(facts.SANs, leaf.EmailAddresses...)
	}
	return facts
}

var tlsVersions = map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"}
