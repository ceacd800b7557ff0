package attach

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// reverse is the second door: ALPN has swapped the roles, and the worker says who
// it is when it is asked.
func (h *handshake) reverse(nc net.Conn, state *tls.ConnectionState) {
	d := h.door
	if d.opts.Draining() {
		h.fail(nc, draining())
		return
	}
	_ = nc.SetDeadline(time.Time{})
	c := &conn{Conn: nc, door: d, handshake: h}
	c.attached = Attached{Conn: c, Kind: Reversed, Certificate: verified(state), Pending: true}
	if !h.wait(c) {
		_ = c.Close()
		return
	}
	if err := d.opts.Announce(c.attachedNow()); err != nil {
		_ = c.Close()
		d.logLoss(h.conn.RemoteAddr(), err)
	}
}

// wait has a pending connection closed when its time is up; false if it is by
// now.
func (h *handshake) wait(c *conn) bool {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	left := time.Until(h.deadline)
	if left <= 0 {
		return false
	}
	h.pending = c
	h.expiry = time.AfterFunc(left, func() {
		_ = h.conn.Close() // first, so that TLS does not wait for a last word
		_ = c.Close()
	})
	return true
}

// ErrNotPending is returned by Identify for a connection that is not waiting for
// it, or no longer.
var ErrNotPending = errors.New("the connection does not wait to be identified")

// Identify says who the worker of a pending connection is, and returns its
// identity. claim is what the worker says of itself, with the token that it sent,
// if any; a claim of nil means that it does not say, and its certificate decides:
// it serves what the first rule for it names in full. An error is of type
// *[Refusal], or says that the connection is closed; the caller then closes it.
func (d *Door) Identify(nc net.Conn, claim *Claim, token string) (Identity, error) {
	c, ok := nc.(*conn)
	if !ok || !c.attachedNow().Pending {
		return Identity{}, ErrNotPending
	}
	p := Shown{Token: token, Certificate: c.attachedNow().Certificate}.proof()
	id, refusal := d.identity(claim, p)
	if id, refusal = d.admit(id, refusal, c.RemoteAddr()); refusal != nil {
		d.logRefusal(c.RemoteAddr(), refusal, eventID())
		return Identity{}, refusal
	}
	if err := d.register(c, id); err != nil {
		return Identity{}, err
	}
	c.settle()
	return id, nil
}

// identity authorizes what was claimed in another form than fields, or nothing.
func (d *Door) identity(claim *Claim, p proof) (Identity, *Refusal) {
	if claim == nil {
		return d.currentRules().authorizeUnnamed(p)
	}
	checked := *claim
	if refusal := checkClaim(&checked); refusal != nil {
		return Identity{}, refusal
	}
	return d.currentRules().authorize(checked, p)
}

// settle ends the handshake of a connection that was pending.
func (c *conn) settle() {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	if c.handshake != nil {
		c.door.endLocked(c.handshake)
		c.handshake = nil
	}
}

// dialed is the third door: the other end begins as a client of HTTP/2, and is
// known by its certificate.
func (h *handshake) dialed(nc net.Conn, m *meter, state *tls.ConnectionState) {
	d := h.door
	if d.opts.Draining() {
		h.fail(nc, draining())
		return
	}
	p := Shown{Certificate: verified(state)}.proof()
	id, refusal := d.currentRules().authorizeUnnamed(p)
	if id, refusal = d.admit(id, refusal, h.conn.RemoteAddr()); refusal != nil {
		d.logRefusal(h.conn.RemoteAddr(), refusal, eventID())
		h.fail(nc, refusal)
		return
	}
	var begin [len(preface)]byte
	if _, err := io.ReadFull(nc, begin[:]); err != nil {
		h.fail(nc, err)
		return
	}
	if string(begin[:]) != preface {
		h.fail(nc, errors.New("it does not begin with the preface of HTTP/2"))
		return
	}
	m.lift()
	c := &conn{Conn: nc, door: d, unsaid: preface}
	c.attached = Attached{Identity: id, Kind: Dialed, Certificate: p.certificate}
	h.handOver(c)
}
