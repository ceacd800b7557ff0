package transport

import (
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// A Tunnel is the connection to an endpoint that has switched protocols.
type Tunnel struct{ link *link }

// Conn returns the connection, and what has been read from it already.
func (t *Tunnel) Conn() (conn.Conn, []byte) { return t.link.conn(), t.link.reader.Buffered() }

// Read implements exchange.Tunnel.
func (t *Tunnel) Read(p []byte) (int, error) {
	if b := t.link.reader.Buffered(); len(b) > 0 {
		n := copy(p, b)
		t.link.reader.Consume(n)
		return n, nil
	}
	return t.link.conn().Read(p)
}

// Write implements exchange.Tunnel.
func (t *Tunnel) Write(p []byte) (int, error) { return t.link.conn().Write(p) }

// CloseWrite implements exchange.Tunnel.
func (t *Tunnel) CloseWrite() error { return t.link.conn().CloseWrite() }

// Abort makes everything that waits on the tunnel fail.
func (t *Tunnel) Abort() { t.link.conn().Abort() }

// beginTunnel checks a 101: the endpoint may switch only to what was asked for
// (RFC 9110 §7.8).
func (c *Call) beginTunnel(x *exchange.Exchange) *exchange.Failure {
	asked := x.Request.Upgrade
	protocol, ok := c.Response.Header.Get(exchange.FieldUpgrade)
	switch {
	case len(asked) == 0:
		return exchange.Fail(exchange.CodeMalformedResponse, "the endpoint switched protocols without having been asked", nil)
	case !ok || !exchange.EqualFold(protocol, asked) || !c.Response.Header.Lists(exchange.FieldConnection, "upgrade"):
		return exchange.Fail(exchange.CodeMalformedResponse, "the endpoint switched to another protocol than was asked for", nil)
	}
	c.link.conn().Watch().Begin(conn.PhaseTunnel, 0)
	c.Response.Body = nil
	c.Response.Tunnel = &Tunnel{c.link}
	return nil
}
