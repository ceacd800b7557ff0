package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/proxyheader"
)

// isProxy reports whether a peer begins its connections with a header of the PROXY
// protocol.
func (l *Listener) isProxy(peer netip.Addr) bool {
	if !peer.IsValid() { // a Unix socket: whoever may open it
		return true
	}
	peer = peer.WithZone("") // no network contains an address with a zone
	return slices.ContainsFunc(l.Proxies, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// meetProxy learns from a proxy on nc who the client is; false if the connection is of
// no use.
func (c *client) meetProxy(nc net.Conn) bool {
	if len(c.listener.Proxies) == 0 || !c.listener.isProxy(c.peer().Addr()) {
		return true
	}
	if !c.conn.Watch().Begin(conn.PhaseHandshake, c.server.opts.HeaderTimeout) {
		return false
	}
	source, err := proxyheader.Read(nc)
	if err != nil {
		c.refuseProxy(nc, err)
		return false
	}
	if source.IsValid() {
		c.told = &source
	}
	return true
}

// refuseProxy lets it be known that a proxy has said something else than it should: to
// itself, where an answer can be read, and to whoever reads the log. One that says
// nothing and leaves only wanted to know whether somebody listens.
func (c *client) refuseProxy(nc net.Conn, err error) {
	var system net.Error
	if errors.As(err, &system) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	c.server.opts.Log.Warn("a connection was refused", "listener", c.listener.Address, "peer", nc.RemoteAddr().String(), "error", err)
	if c.listener.TLS == nil {
		c.refuse(exchange.Fail(exchange.CodeProxyHeader, "", err))
		c.linger()
	}
}
