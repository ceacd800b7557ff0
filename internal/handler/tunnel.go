package handler

import (
	"net/http"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// maySwitch reports whether the client may switch to that protocol. Who cannot let
// go of its connection has the endpoint not asked.
func (ws *workspace) maySwitch(protocol []byte) bool {
	if len(protocol) == 0 || ws.request.ProtoMajor != 1 || !canHijack(ws.reply.w) {
		return false
	}
	for _, u := range ws.handler.opts.Upgrades {
		if exchange.EqualFold(protocol, u) {
			return true
		}
	}
	return false
}

// canHijack reports whether http.ResponseController will find who does it.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

// tunnel answers 101 and carries bytes both ways until both sides have ended, or
// nothing has moved for the tunnel's time-out.
func (r *reply) tunnel(resp *exchange.Response) error {
	ws, x := r.ws, &r.ws.x
	nc, ahead, err := ws.control.Hijack()
	if err != nil {
		return exchange.Fail(exchange.CodeClientGone, "", err)
	}
	s := new(switched)
	s.conn = conn.New(nc, ws.handler.opts.Watchdog, s)
	defer s.conn.Close()
	r.until = 0 // its deadlines are another's from here on
	s.conn.SetWriteTimeout(x.WriteTimeout)
	ws.switched.Store(s)
	if ws.gone.Load() { // cut off meanwhile
		s.conn.Abort()
	}
	m := conn.Borrow()
	head := http1.AppendResponseHead(m[:0], resp, http1.Framing{}, &http1.ResponseHead{Minor: x.Request.Minor, Upgrade: true})
	_, err = s.conn.Write(head)
	conn.Return(m)
	if err != nil {
		return r.failure(err)
	}
	early, _ := ahead.Peek(ahead.Reader.Buffered())
	t := content.Tunnel{Client: s.conn, Other: resp.Tunnel}
	t.Touch = func() bool { return s.conn.Watch().Begin(conn.PhaseTunnel, x.TunnelTimeout) }
	t.Run(early)
	x.Outcome.RequestBytes += t.Up
	x.Outcome.ResponseBytes += t.Down
	r.whole = true
	return nil
}
