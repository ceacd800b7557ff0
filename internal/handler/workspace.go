package handler

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A workspace is what one request needs while it is being served. It is pooled.
type workspace struct {
	handler *Handler
	request *http.Request
	control *http.ResponseController
	x       exchange.Exchange
	head    []byte // the request's, as HTTP/1.1 has it
	body    requestBody
	reply   reply
	// gone: the client has left, or the request was cut off.
	gone atomic.Bool
	// switched is the client's connection after a switch of protocols.
	switched atomic.Pointer[switched]
	// stop has onLeave not be called any more, onLeave is left.
	stop    func() bool
	onLeave func()
	// late: onLeave may still be running when the request is over, so that nobody
	// else can have the workspace.
	late     bool
	id       [25]byte
	peerText [39]byte // the longest IPv6 address
}

// Room for what a usual request needs, so that nothing grows on the plain path.
const (
	usualFields  = 40
	usualHead    = 2 << 10
	usualScratch = 256
)

// keptHead is how much memory for heads is used again.
const keptHead = 16 << 10

func newWorkspace(h *Handler) *workspace {
	ws := &workspace{handler: h, head: make([]byte, 0, usualHead)}
	ws.x.Request.Header = make(exchange.Header, 0, usualFields)
	ws.x.Scratch = make([]byte, 0, usualScratch)
	ws.x.Responder, ws.x.Gone = &ws.reply, &ws.gone
	ws.onLeave = ws.left
	ws.reply.ws = ws
	ws.body.init(ws)
	return ws
}

// begin makes the exchange of a request; the error is why it is not one.
func (ws *workspace) begin(w http.ResponseWriter, r *http.Request) error {
	ws.request, ws.control = r, http.NewResponseController(w)
	ws.gone.Store(false)
	ws.late, ws.stop = false, nil
	ws.beginExchange()
	ws.reply.begin(w)
	err := ws.parse()
	ws.body.begin()
	if ctx := r.Context(); ctx.Done() != nil {
		ws.stop = context.AfterFunc(ctx, ws.onLeave)
	}
	return err
}

func (ws *workspace) beginExchange() {
	x, r, o := &ws.x, ws.request, &ws.handler.opts
	peer := peerOf(r.RemoteAddr)
	x.Client = exchange.Client{
		Peer:     peer,
		Addr:     peer.Addr(),
		PeerText: appendAddr(ws.peerText[:0], peer.Addr()),
		Listener: o.Listener,
		TLS:      r.TLS != nil, Connection: r.TLS,
	}
	x.Start = exchange.Now()
	x.ID = exchange.AppendID(ws.id[:0])
	x.ClientRequestID = nil
	x.Deadline, x.TryDeadline = 0, 0
	x.WriteTimeout, x.TunnelTimeout = o.WriteTimeout, 0
	x.Continued, x.Repeatable = false, false
	x.Scratch, x.Notes = x.Scratch[:0], x.Notes[:0]
	x.Outcome = exchange.Outcome{Index: -1, Tries: x.Outcome.Tries[:0]}
}

// peerOf returns the address of the connection's other end; the zero AddrPort on a
// Unix socket, and wherever else there is none.
func peerOf(remote string) netip.AddrPort {
	p, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// appendAddr appends an address as it goes into X-Forwarded-For.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return dst
	}
	return a.WithZone("").AppendTo(dst)
}

// parse makes the exchange's request of the one that net/http has.
func (ws *workspace) parse() error {
	o, req := &ws.handler.opts, &ws.x.Request
	ws.head = appendHead(ws.head[:0], ws.request)
	framing, err := http1.ParseRequest(ws.head, &o.Limits, req)
	if err != nil {
		return err
	}
	if o.BodyBytes > 0 && framing.Length > o.BodyBytes {
		return exchange.Fail(exchange.CodeContentTooLarge, "", nil)
	}
	if !ws.maySwitch(req.Upgrade) {
		req.Upgrade = nil
	}
	if framing.Kind != http1.BodyNone {
		req.Body = &ws.body
	}
	return nil
}

// refuse answers what is not a request, or comes too late.
func (ws *workspace) refuse(err error) {
	var f *exchange.Failure
	if !errors.As(err, &f) {
		f = exchange.Fail(exchange.CodeMalformedRequest, "", err)
	}
	ws.x.Request.Body = nil
	_ = ws.handler.opts.Problems.Respond(&ws.x, f)
}

// left is called when the client has left, on a goroutine of its own.
func (ws *workspace) left() {
	ws.gone.Store(true)
	ws.body.wake()
}

// cut ends the request, whatever it does. It may be called as long as the request
// has not left its handler.
func (ws *workspace) cut() {
	ws.left()
	_ = ws.control.SetWriteDeadline(longAgo)
	if s := ws.switched.Load(); s != nil {
		s.conn.Abort()
	}
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// end is called when the exchange is over.
func (ws *workspace) end() {
	ws.late = ws.stop != nil && !ws.stop()
	ws.body.end()
	ws.reply.end()
}

// release lets go of what was another's.
func (ws *workspace) release() {
	ws.request, ws.control, ws.stop = nil, nil, nil
	ws.x.Request = exchange.Request{Header: ws.x.Request.Header[:0]}
	ws.reply.w = nil
	ws.switched.Store(nil)
	if cap(ws.head) > keptHead {
		ws.head = make([]byte, 0, usualHead)
	}
}

// switched is a client's connection that speaks another protocol.
type switched struct{ conn conn.Conn }

// Expire implements conn.Expirer.
func (s *switched) Expire(conn.Phase) { s.conn.Abort() }
