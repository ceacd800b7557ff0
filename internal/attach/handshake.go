package attach

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A handshake is what happens to a connection until its worker is known.
type handshake struct {
	door     *Door
	conn     net.Conn // as it was accepted
	began    time.Time
	deadline time.Time
	expiry   *time.Timer // closes it, once it is pending; guarded by door.mu
	pending  *conn       // what it has become by then; guarded by door.mu
	givenUp  bool        // for a newer one; guarded by door.mu
}

// grace is how long a handshake is left in peace. One that is honest needs less,
// unless thousands come in one moment: those wait to be accepted.
const grace = 100 * time.Millisecond

// begin makes room for a connection, and gives up the oldest handshake for it if
// there is none; nil if the door is closing.
func (d *Door) begin(nc net.Conn) *handshake {
	d.mu.Lock()
	defer d.mu.Unlock()
	for evicted := false; len(d.under) >= d.opts.Handshakes && !d.closing; {
		if evicted {
			d.changed.Wait() // for it to end
			continue
		}
		var wait time.Duration
		if evicted, wait = d.evictLocked(grace); !evicted {
			d.awaitLocked(wait)
		}
	}
	return d.enterLocked(nc)
}

// awaitLocked waits until something has changed, or for that long.
func (d *Door) awaitLocked(limit time.Duration) {
	wake := time.AfterFunc(limit, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.changed.Broadcast()
	})
	defer wake.Stop()
	d.changed.Wait()
}

// beginNow is begin, or nil instead of waiting: whoever calls it does not keep
// others from coming meanwhile.
func (d *Door) beginNow(nc net.Conn) *handshake {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.under) >= d.opts.Handshakes {
		d.evictLocked(0)
	}
	if len(d.under) >= d.opts.Handshakes {
		return nil
	}
	return d.enterLocked(nc)
}

func (d *Door) enterLocked(nc net.Conn) *handshake {
	if d.closing {
		return nil
	}
	now := time.Now()
	h := &handshake{door: d, conn: nc, began: now, deadline: now.Add(d.opts.Timeout)}
	d.under = append(d.under, h)
	d.busy.Add(1)
	return h
}

// evictLocked closes the oldest connection that is still trying, or tells how long
// that one is to be left in peace yet.
func (d *Door) evictLocked(peace time.Duration) (evicted bool, wait time.Duration) {
	for _, h := range d.under {
		if h.givenUp {
			continue
		}
		if left := peace - time.Since(h.began); left > 0 {
			return false, left
		}
		h.givenUp = true
		d.opts.Log.Debug("gave up a handshake for a newer one", "remote", h.conn.RemoteAddr())
		_ = h.conn.Close()
		if h.pending != nil { // whoever has it may take his time to close it
			h.pending.closed = true
			d.endLocked(h)
		}
		return true, 0
	}
	return true, 0 // all of them are ending
}

// end gives back the place of a handshake.
func (h *handshake) end() {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	h.door.endLocked(h)
}

// run finds out who a connection's worker is, and hands it over.
func (h *handshake) run() {
	defer h.door.busy.Done()
	_ = h.conn.SetDeadline(h.deadline)
	if h.door.opts.TLS == nil {
		h.upgrade(h.conn, nil, func() {})
		return
	}
	metered := &meter{Conn: h.conn, left: handshakeBytes}
	secure := tls.Server(metered, h.door.opts.TLS)
	if err := secure.HandshakeContext(context.Background()); err != nil { // the deadline bounds it
		h.fail(h.conn, err)
		return
	}
	state := secure.ConnectionState()
	switch state.NegotiatedProtocol {
	case protoReversed:
		metered.lift()
		h.reverse(secure, &state)
	case protoDialed:
		h.dialed(secure, metered, &state)
	default:
		h.upgrade(secure, &state, metered.lift)
	}
}

// fail closes a connection to which nothing can be said.
func (h *handshake) fail(nc net.Conn, err error) {
	defer h.end()
	_ = nc.Close()
	if !errors.Is(err, errSilent) {
		h.door.opts.Log.Debug("a worker did not get through its handshake", "remote", h.conn.RemoteAddr(), "error", err)
	}
}

// upgrade is the first door: a request of HTTP/1.1. before is called before the
// connection is handed over.
func (h *handshake) upgrade(nc net.Conn, state *tls.ConnectionState, before func()) {
	head, err := readHead(nc)
	if err != nil {
		h.answerUnread(nc, err)
		return
	}
	id, refusal := h.door.decide(Request{Head: head, Remote: h.conn.RemoteAddr(), TLS: state}, true)
	if refusal != nil {
		h.refuse(nc, refusal)
		return
	}
	if _, err := nc.Write(h.door.AppendAccept(nil)); err != nil {
		h.fail(nc, err)
		return
	}
	before()
	c := &conn{Conn: nc, door: h.door, attached: Attached{Identity: id, Kind: Upgraded, Certificate: id.proof.certificate}}
	h.handOver(c)
}

// handOver announces a connection whose worker is known.
func (h *handshake) handOver(c *conn) {
	_ = c.Conn.SetDeadline(time.Time{})
	if err := h.door.announce(c, h.end); err != nil {
		h.door.logLoss(h.conn.RemoteAddr(), err)
	}
}

// answerUnread answers a request that could not be read.
func (h *handshake) answerUnread(nc net.Conn, err error) {
	var refusal *Refusal
	var failure *exchange.Failure
	var timeout net.Error
	switch {
	case errors.As(err, &refusal):
		h.refuse(nc, refusal)
	case errors.As(err, &failure):
		h.refuse(nc, malformed(failure))
	case errors.As(err, &timeout) && timeout.Timeout():
		h.refuse(nc, &Refusal{
			Status: http.StatusRequestTimeout, Code: exchange.CodeRequestTimeout.Name,
			Detail: "the request to attach did not arrive within " + h.door.opts.Timeout.String(),
		})
	default:
		h.fail(nc, err)
	}
}

// A second to take the answer, and one to stop sending.
const lastWord = time.Second

// maxLinger is how much of what is still being sent is read, so that closing does
// not take back the answer: a system that has unread bytes says so with a reset.
const maxLinger = 64 << 10

// refuse answers with a refusal and closes the connection.
func (h *handshake) refuse(nc net.Conn, r *Refusal) {
	defer h.end()
	defer nc.Close()
	event := eventID()
	h.door.logRefusal(h.conn.RemoteAddr(), r, event)
	_ = nc.SetDeadline(time.Now().Add(lastWord))
	if _, err := nc.Write(r.Append(nil, event)); err != nil {
		return
	}
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = h.conn.SetDeadline(time.Now().Add(lastWord))
	_, _ = io.Copy(io.Discard, io.LimitReader(h.conn, maxLinger))
}

func (d *Door) logLoss(remote net.Addr, err error) {
	d.opts.Log.Info("a worker was not taken", "remote", remote, "error", err)
}

func eventID() string { return string(exchange.AppendID(nil)) }

func (d *Door) logRefusal(remote net.Addr, r *Refusal, event string) {
	d.opts.Log.Info("a worker was refused", "remote", remote, "status", r.Status, "error", r.Code, "detail", r.Detail, "event_id", event)
}
