package attach

import (
	"net"
	"slices"
)

// Live returns the connections of the workers that are attached, in no order.
func (d *Door) Live() []Attached {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Attached, 0, len(d.live))
	for c := range d.live {
		all = append(all, c.attached)
	}
	return all
}

// Attach announces the connection of a worker that [Door.Upgrade] let in, after
// the 101. The connection is the door's: on an error it is closed. It returns
// when Announce does, and Close waits for that.
func (d *Door) Attach(id Identity, nc net.Conn) error {
	if !d.enter() {
		_ = nc.Close()
		return ErrClosed
	}
	defer d.busy.Done()
	c := &conn{Conn: nc, door: d, attached: Attached{Identity: id, Kind: Upgraded, Certificate: id.proof.certificate}}
	return d.announce(c, func() {})
}

// enter has Close wait for whoever calls it; false if it is closed already.
func (d *Door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.busy.Add(1)
	return true
}

// announce adds a connection to the live ones and hands it over; known is called
// when it is one of them, or is closed.
func (d *Door) announce(c *conn, known func()) error {
	c.attached.Conn = c
	err := d.register(c, c.attached.Identity)
	known()
	if err != nil {
		_ = c.Close()
		return err
	}
	if err := d.opts.Announce(c.attachedNow()); err != nil {
		_ = c.Close()
		return err
	}
	return nil
}

func (c *conn) attachedNow() Attached {
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	return c.attached
}

// register makes a connection one of the live. The rules may have changed since
// the worker was let in, and connections that were live then are closed: that is
// why it looks again.
func (d *Door) register(c *conn, id Identity) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing || c.closed {
		return ErrClosed
	}
	if !d.rules.keeps(id) {
		return unauthorized("the credential has been revoked")
	}
	c.attached.Identity, c.attached.Pending = id, false
	d.live[c] = struct{}{}
	return nil
}

// forget notes that a connection is closed.
func (d *Door) forget(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, c)
	c.closed = true
	if c.handshake != nil {
		d.endLocked(c.handshake)
	}
	d.changed.Broadcast()
}

// endLocked gives back the place of a handshake.
func (d *Door) endLocked(h *handshake) {
	if h.expiry != nil {
		h.expiry.Stop()
	}
	if i := slices.Index(d.under, h); i >= 0 {
		d.under = slices.Delete(d.under, i, i+1)
		d.changed.Broadcast()
	}
}
