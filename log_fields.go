package weir

import (
	"sync"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/shape"
)

// This file is what expressions add to the lines of the access log. One that only sees
// the request is evaluated when the line is written. When that is, the response is gone:
// one that sees it, or the endpoint, is evaluated as the response is passed on, and its
// value noted.

// maxLogged bounds the value of one field of a line, in bytes.
const maxLogged = 1 << 10

// A note is a field of the access log that sees the response.
type note struct {
	name string
	expr *shape.Expression
}

// logFields returns the further fields of the access log.
func (p *Proxy) logFields(c *Config) (fields []observe.LogField) {
	if c.AccessLog == nil {
		return nil
	}
	for _, f := range c.AccessLog.Fields {
		one := observe.LogField{Name: f.Name, Append: noted(f.Name)}
		if e, late := p.logged(f.Value); !late {
			one.Append = evaluated(e)
		}
		fields = append(fields, one)
	}
	return fields
}

// logged compiles what a field says; late: it sees the response. The expression is nil
// if it is wrong, which the plan complains of.
func (p *Proxy) logged(text string) (e *shape.Expression, late bool) {
	e, err := p.compiler().Expression(text, shape.RequestSide, shape.Any)
	if err != nil {
		late = true
		e, _ = p.compiler().Expression(text, shape.ResponseSide, shape.Any)
	}
	return e, late
}

// notes returns those fields that see the response.
func (p *Proxy) notes(c *Config) (list []note) {
	if c.AccessLog == nil {
		return nil
	}
	for _, f := range c.AccessLog.Fields {
		if e, late := p.logged(f.Value); late && e != nil {
			list = append(list, note{f.Name, e})
		}
	}
	return list
}

// evaluated is a field that an expression gives when the line is written.
func evaluated(e *shape.Expression) func([]byte, *exchange.Exchange) ([]byte, bool) {
	return func(dst []byte, x *exchange.Exchange) ([]byte, bool) {
		v := shape.Borrow(x)
		defer v.Release()
		at := len(dst)
		dst, err := e.AppendJSON(dst, v)
		return dst, err == nil && len(dst)-at <= maxLogged
	}
}

// noted is a field whose value was noted before.
func noted(name string) func([]byte, *exchange.Exchange) ([]byte, bool) {
	return func(dst []byte, x *exchange.Exchange) ([]byte, bool) {
		value := x.Noted(name)
		return append(dst, value...), value != nil
	}
}

// noting is the responder of exchanges whose response is noted something of: that which
// the client gets.
type noting struct {
	exchange.Responder // the client's
	plan               *plan
	x                  *exchange.Exchange
	view               *shape.View
}

var notings = sync.Pool{New: func() any {
	n := new(noting)
	n.view = shape.NewView(shape.Outside{Endpoint: func() *shape.Endpoint { return n.plan.answeredBy(n.x) }})
	return n
}}

// routeNoting is route for a plan that has notes. As with pass, its frame is its own.
//
//go:noinline
func (pl *plan) routeNoting(x *exchange.Exchange) {
	n := notings.Get().(*noting)
	n.Responder, n.plan, n.x = x.Responder, pl, x
	n.view.Begin(x)
	x.Responder = n
	pl.route(x)
	x.Responder = n.Responder
	n.view.End()
	n.Responder, n.plan, n.x = nil, nil, nil
	notings.Put(n)
}

// Respond implements exchange.Responder.
func (n *noting) Respond(resp *exchange.Response) error {
	n.view.Service = n.x.Outcome.Service
	n.view.SetResponse(resp)
	n.x.Notes = n.x.Notes[:0] // of a response that could not be sent
	for _, f := range n.plan.notes {
		var room [128]byte
		value, err := f.expr.AppendJSON(room[:0], n.view)
		if err == nil && len(value) <= maxLogged {
			n.x.Notes = append(n.x.Notes, exchange.Note{Name: f.name, Value: n.x.Keep(value)})
		}
	}
	return n.Responder.Respond(resp)
}
