package server

import (
	"errors"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// exchange serves the request that was parsed. It returns false when the
// connection cannot carry another one; c.next says how it ends.
func (c *client) exchange() (again bool) {
	ws := c.ws
	x := &ws.x
	c.begin(x)
	if !c.enter(conn.PhaseServe, 0) {
		c.next = closeNow
		return false
	}
	c.server.opts.Handler.Serve(x)
	return c.finish(x)
}

// begin makes the exchange of a request that was parsed, or could not be.
func (c *client) begin(x *exchange.Exchange) {
	x.Start = exchange.Now()
	x.ID = exchange.AppendID(c.ws.id[:0])
	x.ClientRequestID = nil
	x.Client.Addr = x.Client.Peer.Addr()
	x.Deadline = 0
	x.WriteTimeout, x.TunnelTimeout = c.server.opts.WriteTimeout, 0
	x.Continued = false
	x.Scratch, x.Notes = x.Scratch[:0], x.Notes[:0]
	x.TryDeadline, x.Repeatable = 0, false
	x.Outcome = exchange.Outcome{Index: -1, Tries: x.Outcome.Tries[:0]}
	c.ws.reply.begin()
}

// finish ends an exchange and decides what becomes of the connection.
func (c *client) finish(x *exchange.Exchange) (again bool) {
	r := &c.ws.reply
	x.Outcome.Duration = exchange.Now() - x.Start
	c.server.opts.Observe(x)
	reuse := http1.Reuse{
		RequestKeepAlive: c.ws.framing.KeepAlive,
		RequestRead:      c.ws.body.ended(),
		ResponseSent:     r.whole,
		ContinueWithheld: x.Request.ExpectContinue && !x.Continued,
		Upgraded:         r.upgraded,
		Closing:          r.closing,
	}
	c.ws.body.finish()
	if reuse.Client() {
		return true
	}
	c.next = closeNow
	if r.whole && !r.upgraded {
		c.next = closeGently
	}
	return false
}

// refuse answers what is not a request, and has the connection closed.
func (c *client) refuse(err error) (leave bool) {
	var f *exchange.Failure
	if !errors.As(err, &f) {
		f = exchange.Fail(exchange.CodeMalformedRequest, "", err)
	}
	if c.ws == nil {
		c.takeWorkspace()
	}
	c.ws.framing = http1.Framing{}
	c.ws.body.prepare(c, http1.Framing{})
	c.begin(&c.ws.x)
	c.enter(conn.PhaseServe, 0)
	_ = c.server.opts.Problems.Respond(&c.ws.x, f)
	c.finish(&c.ws.x)
	return true
}

// serveOne serves the request that was parsed, whatever it asks for.
func (c *client) serveOne() (again bool) {
	if c.ws.attaching {
		return c.decide()
	}
	return c.exchange()
}

// serveOutside serves a request that needs the client to be read from meanwhile.
func (c *client) serveOutside() {
	c.next = closeNow
	if !c.serveOne() {
		return
	}
	c.ws.body.giveBack(&c.ws.in)
	if c.ws.in.Len() > 0 || c.idle() {
		c.next = serveNow // there is nothing to serve yet: the loop goes on
	}
}
