package server

import (
	"crypto/tls"
	"net"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// attachPath is where workers ask to be attached: the raw path, byte for byte.
const attachPath = "/.well-known/weir/attach"

// An Attacher lets workers in, whose connections are not clients' from then on. Its
// methods may be called concurrently.
type Attacher interface {
	// Ask decides about x, a request to attach nc, the connection that it came
	// over; ahead says that more than the request has arrived on it. nc is only
	// to be asked about, neither read nor written. If the answer is no, x has
	// been given it, and nil is returned. Else the server sends what AppendAccept
	// says, and has attach take the connection over: it is attach's to close,
	// has no deadlines, and nothing of the server waits for attach to return.
	Ask(x *exchange.Exchange, nc net.Conn, ahead bool) (attach func(nc net.Conn))
	// AppendAccept appends the answer to a request that may attach: a 101.
	AppendAccept(dst []byte) []byte
	// Reverse takes over a connection on which ALPN has chosen rh2, in the same
	// way.
	Reverse(nc *tls.Conn)
}

// asksToAttach reports whether a request asks to attach its connection, rightly or
// not.
func asksToAttach(r *exchange.Request) bool {
	return string(r.Path) == attachPath && r.Header.Lists(exchange.FieldUpgrade, "ptth")
}

// decide has a request to attach decided about. It returns false when the
// connection cannot carry another request; c.attach takes over what is let in.
func (c *client) decide() (again bool) {
	ws := c.ws
	x := &ws.x
	c.begin(x)
	if !c.enter(conn.PhaseServe, 0) {
		return false
	}
	// The router begins what follows the 101. Bytes ahead of that are somebody
	// else's idea of the conversation, and there is no telling whose.
	ahead := ws.in.Len() > 0 || !c.conn.Alive()
	if ahead {
		ws.framing.KeepAlive = false
	}
	nc := c.conn.NetConn()
	attach := c.listener.Attach.Ask(x, nc, ahead)
	if attach == nil {
		return c.finish(x)
	}
	if ws.reply.accept(c.listener.Attach) {
		c.attach = attach
	}
	return c.finish(x)
}

// accept answers that a connection is attached; false if that could not be
// written.
func (r *reply) accept(a Attacher) bool {
	x := &r.client.ws.x
	r.upgraded, r.closing = true, true
	x.Outcome.Status = 101
	r.client.conn.SetWriteTimeout(x.WriteTimeout)
	if err := r.write(a.AppendAccept(nil)); err != nil {
		x.Outcome.Failure = r.failure(err)
		return false
	}
	r.whole = true
	return true
}
