package server

import (
	"net"
	"net/netip"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A workspace is what a connection needs while a request is being served. It is
// pooled: there are as many as requests under way, not as connections.
type workspace struct {
	// in is what was received and not consumed: the head that is being served,
	// and what follows it.
	in       conn.Buffer
	searched int // how much of in was searched for the end of a head
	x        exchange.Exchange
	framing  http1.Framing
	body     requestBody
	reply    reply
	// attaching: the request asks to attach the connection.
	attaching bool
	id        [25]byte
	peerText  [39]byte // the longest IPv6 address
}

// Room for what a usual request needs, so that nothing grows on the plain path.
const (
	usualFields  = 40
	usualScratch = 256
)

func newWorkspace() *workspace {
	ws := new(workspace)
	ws.x.Request.Header = make(exchange.Header, 0, usualFields)
	ws.x.Scratch = make([]byte, 0, usualScratch)
	return ws
}

// forgetRequest forgets the request that was served last, perhaps another
// client's, whose memory is somebody else's by now. A refusal before there is a
// whole head would be answered, and logged, as if it were about that one.
func (ws *workspace) forgetRequest() {
	ws.x.Request = exchange.Request{Header: ws.x.Request.Header[:0]}
}

// peer returns the address of the connection's other end, or of the client that a proxy
// has told of there; the zero AddrPort on a Unix socket. It is asked for each time
// because idle connections should be small.
func (c *client) peer() netip.AddrPort {
	if c.told != nil {
		return *c.told
	}
	a, ok := c.conn.NetConn().RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// appendAddr appends an address as it goes into X-Forwarded-For.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return dst
	}
	return a.WithZone("").AppendTo(dst)
}

func (c *client) takeWorkspace() {
	ws := c.server.workspaces.Get().(*workspace)
	ws.searched = 0
	peer := c.peer()
	ws.x.Client = exchange.Client{
		Peer:     peer,
		PeerText: appendAddr(ws.peerText[:0], peer.Addr()),
		Listener: c.listener.Address,
		TLS:      c.listener.TLS != nil, Connection: c.secured,
	}
	ws.x.Gone = c.conn.Watch().Gone()
	ws.x.Responder = &ws.reply
	ws.reply.client = c
	c.ws = ws
}

func (c *client) releaseWorkspace() {
	ws := c.ws
	if ws == nil {
		return
	}
	c.ws = nil
	ws.in.Release()
	ws.body.release()
	ws.reply.client = nil
	c.server.workspaces.Put(ws)
}
