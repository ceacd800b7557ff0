package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// How long, and for how many bytes, a connection is read on after its last
// answer. Closing at once would make the kernel send a reset, which can destroy
// the answer before the client has read it (RFC 9112 §9.6).
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
	lastWord    = time.Second
)

// A client is one client's connection.
type client struct {
	server   *Server
	listener *Listener
	conn     conn.Conn
	// ready has the watch once the connection is set up, for Shutdown.
	ready atomic.Pointer[conn.Watch]

	// told is the client's address as a proxy has told it; nil if none has.
	told *netip.AddrPort
	// secured is how the connection is; nil if it is not.
	secured *tls.ConnectionState

	ws *workspace // nil while idle
	// inHead: part of a request's head has arrived.
	inHead bool
	// back: the loop was left and entered again; bytes may be left over.
	back bool
	// next is why the loop was left.
	next next
	// attach takes the connection over when it is not the server's any more; nil
	// as long as it is a client's.
	attach func(net.Conn)
}

// next is what happens once the read loop has been left.
type next uint8

const (
	closeNow    next = iota // the connection is of no more use
	closeGently             // the last answer may not have been read yet
	serveNow                // a request needs the loop to be left
)

func newClient(s *Server, cfg *Listener) *client { return &client{server: s, listener: cfg} }

// run is the life of the connection until it is over, or parked. If it turns out to
// be a worker's, that goes on afterwards, as somebody else's.
func (c *client) run(nc net.Conn) {
	c.guard(func() bool { return c.open(nc) && c.serve() })
}

// Unpark implements conn.Unparker: something may have arrived on a connection that
// was parked, or its work was ended.
func (c *client) Unpark() {
	c.guard(func() bool { c.conn.Stay(); return c.serve() })
}

// guard does a part of the connection's life, after which that is parked, or over.
func (c *client) guard(part func() (parked bool)) {
	parked := false
	defer func() {
		if !parked {
			c.end()
		}
	}()
	defer c.survive()
	parked = part()
}

// open sets the connection up; false if it is over already.
func (c *client) open(nc net.Conn) bool {
	below := nc
	if c.listener.TLS != nil {
		nc = tls.Server(nc, c.listener.TLS)
	}
	c.conn = conn.New(nc, c.server.opts.Watchdog, c)
	c.conn.SetWriteTimeout(c.server.opts.WriteTimeout)
	c.conn.MayPark()
	c.ready.Store(c.conn.Watch())
	return c.meetProxy(below) && c.handshake(nc) && !c.isReversed(nc) && c.idle()
}

// end is the end of the connection as a client's.
func (c *client) end() {
	c.releaseWorkspace()
	c.leave()
	c.server.forget()
	if c.attach != nil {
		c.attach(c.conn.NetConn())
	}
}

// leave closes the connection, unless a worker's is to go on. Shutdown is made to
// look away first: the watch is about to become another connection's.
func (c *client) leave() {
	c.server.retire(c)
	if c.attach != nil && c.conn.Release() == nil {
		return
	}
	c.attach = nil
	_ = c.conn.Close()
}

// survive keeps a defect in the code below from taking the process down: it
// costs one connection.
func (c *client) survive() {
	if v := recover(); v != nil {
		c.server.opts.Log.Error("panic while serving a connection", "panic", v, "stack", string(debug.Stack()))
	}
}

func (c *client) handshake(nc net.Conn) bool {
	t, ok := nc.(*tls.Conn)
	if !ok {
		return true
	}
	if !c.conn.Watch().Begin(conn.PhaseHandshake, c.server.opts.HeaderTimeout) {
		return false
	}
	err := t.Handshake()
	if err == nil {
		state := t.ConnectionState()
		c.secured = &state
		return true
	}
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) && http1.CheckStart(notTLS.RecordHeader[:]) == nil {
		_, _ = io.WriteString(t.NetConn(), speaksTLS)
	}
	c.letRead(t.NetConn())
	return false
}

// speaksTLS answers a request in clear text on a port for TLS.
const speaksTLS = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" +
	"This port speaks TLS; ask for https:// instead.\n"

// letRead gives a client whose handshake was refused the time to read why: it may
// have sent more already, and closing on that destroys the alert.
func (c *client) letRead(nc net.Conn) {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(lastWord))
	_, _ = io.CopyN(io.Discard, nc, lingerBytes)
}

// idle begins the wait for a request's first byte.
func (c *client) idle() bool {
	ok := c.conn.Watch().Begin(conn.PhaseIdle, c.server.opts.IdleTimeout)
	// Shutdown ends the connections that are idle when it looks; one that
	// becomes idle later sees for itself.
	return ok && !c.server.closing.Load()
}

// serve alternates between the read loop and what cannot be done inside it, until the
// connection is over, or parked.
func (c *client) serve() (parked bool) {
	step := c.step
	for {
		if err := c.conn.Loop(step); err != nil {
			if !c.conn.Stay() {
				c.lost()
				return false
			}
			if c.ws == nil && c.conn.Park(c) {
				return true // and it is another goroutine's by now
			}
			continue
		}
		if c.next == serveNow {
			c.serveOutside()
		}
		switch c.next { // serveNow again is to go on
		case closeNow:
			return false
		case closeGently:
			c.linger()
			return false
		}
		c.back = true
	}
}

// enter begins a phase of a request. The watchdog may just have begun to have the
// connection parked.
func (c *client) enter(p conn.Phase, d time.Duration) bool {
	for !c.conn.Watch().Begin(p, d) {
		if !c.conn.Stay() {
			return false
		}
	}
	return true
}

// lost is called when waiting for a request failed. A client that has sent part
// of a head is told that it took too long.
func (c *client) lost() {
	if c.inHead && c.conn.Watch().Ended() == conn.TimedOut {
		c.conn.AllowWrite(lastWord)
		c.refuse(exchange.Fail(exchange.CodeRequestTimeout, "", nil))
	}
}

// step serves what has arrived. It returns true when the loop is to be left, for
// the reason in c.next.
func (c *client) step() (leave bool) {
	if c.back {
		c.back = false
		if c.ws != nil && c.ws.in.Len() > 0 && c.serveBuffered() {
			return true
		}
	}
	for {
		if c.ws == nil {
			c.takeWorkspace()
		}
		room := c.ws.in.Space(c.headLimit())
		n, err := c.conn.TryRead(room)
		if errors.Is(err, conn.ErrWouldBlock) {
			return c.rest()
		}
		if err != nil {
			c.next = closeNow
			return true
		}
		c.ws.in.Received(n)
		if c.serveBuffered() {
			return true
		}
		// That was all there is. Only within a head it could be all there will
		// be: no edge tells of an end that came together with the bytes.
		if n < len(room) && !c.inHead {
			return c.rest()
		}
	}
}

// rest gives the workspace back while there is nothing to do.
func (c *client) rest() (leave bool) {
	if c.ws.in.Len() == 0 {
		c.releaseWorkspace()
	}
	return false
}

// headLimit is how much may be buffered of one head; one byte more than it may
// be long, to tell.
func (c *client) headLimit() int { return max(c.server.opts.Limits.HeaderBytes, conn.BufferSize) + 1 }

// serveBuffered serves every request that is buffered whole. It returns true
// when the loop is to be left.
func (c *client) serveBuffered() (leave bool) {
	ws := c.ws
	for {
		ws.in.Consume(http1.SkipEmptyLine(ws.in.Bytes()))
		if ws.in.Len() == 0 {
			return c.between()
		}
		whole, err := c.parse()
		if err != nil {
			return c.refuse(err)
		}
		if !whole {
			return false
		}
		if !ws.body.complete || len(ws.x.Request.Upgrade) > 0 || ws.attaching {
			c.next = serveNow
			return true
		}
		if !c.exchange() {
			return true
		}
	}
}

// between is called when everything received has been served.
func (c *client) between() (leave bool) {
	if !c.inHead && c.conn.Watch().Phase() == conn.PhaseIdle {
		return false
	}
	c.inHead = false
	c.next = closeNow
	return !c.idle()
}

// parse parses the head at the front of the buffer; false if it is not all there
// yet.
func (c *client) parse() (whole bool, err error) {
	ws, lim := c.ws, &c.server.opts.Limits
	buf := ws.in.Bytes()
	if !c.inHead {
		if err := http1.CheckStart(buf); err != nil {
			ws.forgetRequest()
			return false, err
		}
		ws.searched = 0
	}
	end := http1.HeadEnd(buf, ws.searched)
	if end == 0 {
		ws.forgetRequest()
		if len(buf) > lim.HeaderBytes {
			return false, http1.RequestTooLarge(buf, lim)
		}
		ws.searched = len(buf)
		if !c.inHead {
			c.inHead = true
			c.enter(conn.PhaseHead, c.server.opts.HeaderTimeout)
		}
		return false, nil
	}
	c.inHead, ws.searched = false, 0
	framing, err := http1.ParseRequest(buf[:end], lim, &ws.x.Request)
	if err != nil {
		return false, err
	}
	if most := c.server.opts.BodyBytes; most > 0 && framing.Length > most {
		return false, exchange.Fail(exchange.CodeContentTooLarge, "", nil)
	}
	ws.framing = framing
	ws.in.Consume(end)
	if !c.mayUpgrade(ws.x.Request.Upgrade) {
		ws.x.Request.Upgrade = nil
	}
	ws.attaching = c.listener.Attach != nil && asksToAttach(&ws.x.Request)
	ws.body.prepare(c, framing)
	return true, nil
}

func (c *client) mayUpgrade(protocol []byte) bool {
	for _, u := range c.listener.Upgrades {
		if exchange.EqualFold(protocol, u) {
			return true
		}
	}
	return false
}

// linger lets the client read its answer: it says that nothing more comes, and
// reads what the client still sends until it closes.
func (c *client) linger() {
	w := c.conn.Watch()
	if w.Ended() != conn.NotEnded || c.conn.CloseWrite() != nil || !w.Begin(conn.PhaseLinger, lingerTime) {
		return
	}
	m := conn.Borrow()
	defer conn.Return(m)
	for read := 0; read < lingerBytes; {
		n, err := c.conn.Read(m[:])
		if err != nil {
			return
		}
		read += n
	}
}

// Expire implements conn.Expirer, on the watchdog's goroutine.
func (c *client) Expire(conn.Phase) {
	if w := c.ready.Load(); w != nil && w.Ended() == conn.Parking {
		c.conn.AbortRead()
		return
	}
	c.conn.Abort()
	c.conn.Unpark(c)
}

// endIdle closes the connection if no request is under way.
func (c *client) endIdle() {
	if w := c.ready.Load(); w != nil {
		w.CancelIdle()
	}
}

// cut ends the connection, whatever it does.
func (c *client) cut() {
	w := c.ready.Load()
	if w == nil {
		return
	}
	w.Gone().Store(true)
	w.Cancel()
}
