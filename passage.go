package weir

import (
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
	view               *shape.View          // always there
	captured           router.Match[target] // empty if the route captures nothing
	choice             compress.Choice
	ours               bool // the response is a step's
}

var passages = sync.Pool{New: func() any {
	p := new(passage)
	p.view = shape.NewView(shape.Outside{Capture: p.capture, Endpoint: p.endpoint})
	return p
}}

// pass serves x on a route that shapes what passes. The head is afterwards as it was
// received. It has a frame of its own, so that the stack of a connection does not grow
// by what few routes need.
//
//go:noinline
func (pl *plan) pass(x *exchange.Exchange, m *router.Match[target], s *liveService) {
	p := pl.begin(x, m)
	p.service = s
	received := x.Request
	x.Responder = p
	p.serve()
	x.Responder, x.Request = p.Responder, received
	p.end()
}

// begin returns the passage of x on the route that m has found.
func (pl *plan) begin(x *exchange.Exchange, m *router.Match[target]) *passage {
	p := passages.Get().(*passage)
	p.Responder, p.plan, p.x, p.route = x.Responder, pl, x, m.Target
	if m.HasCaptures() {
		p.captured = *m // m is on the stack, and is to stay there
	}
	p.view.Begin(x)
	return p
}

func (p *passage) end() {
	p.view.End()
	if p.captured.Target != nil {
		p.captured = router.Match[target]{}
	}
	p.Responder, p.plan, p.x, p.route, p.service = nil, nil, nil, nil, nil
	p.choice, p.ours = compress.None, false
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
	return sh.steps.Response(p.see(), resp)
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

// endpoint is what expressions see of who has answered.
func (p *passage) endpoint() *shape.Endpoint { return p.plan.answeredBy(p.x) }

// answeredBy is what expressions see of who has answered; nil if nobody has.
func (pl *plan) answeredBy(x *exchange.Exchange) *shape.Endpoint {
	out := &x.Outcome
	s := pl.services.full(out.Service)
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

// capture is what expressions see of what the route has captured.
func (p *passage) capture(name string) []byte {
	text, _ := p.captured.Capture(name)
	return text
}
