package http2

import "time"

const (
	// quietFor is how long nothing is heard from a peer that owes an answer until
	// it is asked for a sign by a PING out of turn, doubtAfter how long that may
	// take until it gets no more requests.
	quietFor   = time.Second
	doubtAfter = 2 * time.Second
)

// liveness is what is known of the peer being there. It is guarded by Conn.mu.
type liveness struct {
	heard  bool // a frame has come since the last PING
	missed int  // PINGs without any sign of the peer, one after the other
	count  byte

	// fresh: a frame has come since the last look; at is when that was seen.
	fresh bool
	at    time.Duration
	// asked is when it was asked out of turn; 0 if it was not, or has answered.
	asked time.Duration
	// doubted: it has not answered that, and gets no requests until it is heard.
	doubted bool
}

// hear notes a sign of the peer.
func (c *Conn) hear() {
	l := &c.alive
	l.heard, l.fresh = true, true
	if l.asked == 0 {
		return
	}
	l.asked = 0
	if l.doubted {
		l.doubted = false
		c.announce()
	}
}

// watch sees whether a peer that owes answers is still there: one that is frozen
// would be given requests until its connection ends, otherwise.
func (c *Conn) watch(now time.Duration) {
	l := &c.alive
	switch {
	case l.fresh || len(c.streams) == 0 && l.asked == 0:
		l.fresh, l.at = false, now
	case l.asked == 0 && now-l.at >= quietFor:
		l.asked = now
		c.writePing()
	case l.asked > 0 && !l.doubted && now-l.asked >= doubtAfter:
		l.doubted = true
		c.announce()
	}
}

// ping asks the peer for a sign, and ends a connection that gave none for as
// many times as it may. Any frame is a sign: an answer can be stuck behind
// content that is on its way.
func (c *Conn) ping() {
	l := &c.alive
	if l.count > 0 && !l.heard {
		l.missed++
	} else {
		l.missed = 0
	}
	if l.missed >= c.opts.MissedPings {
		c.end(ErrSilent)
		return
	}
	l.heard = false
	c.writePing()
}

func (c *Conn) writePing() {
	l := &c.alive
	l.count = max(l.count+1, 1)
	c.out.pending = appendFrame(c.out.pending, framePing, 0, 0, []byte{'w', 'e', 'i', 'r', 0, 0, 0, l.count})
	c.kick()
}

func (c *Conn) onPing(f *frame) *connError {
	switch {
	case f.stream != 0:
		return fatal(errProtocol, "PING on a stream")
	case len(f.payload) != 8:
		return fatal(errFrameSize, "a PING of another length than 8")
	case f.has(flagAck):
		return c.costs()
	}
	if err := c.costs(); err != nil {
		return err
	}
	c.out.pending = appendFrame(c.out.pending, framePing, flagAck, 0, f.payload)
	c.kick()
	return nil
}
