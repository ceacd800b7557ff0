package http2

import "time"

// buryFor bounds how long the end of a response may take to come.
const buryFor = 5 * time.Second

// onlyEndMissing reports whether both sides have said everything, but for the
// peer's word that it has.
func (s *Stream) onlyEndMissing() bool {
	return !s.removed && s.conn.err == nil && s.localEnded && s.headHere && s.declared >= 0 && s.received == s.declared
}

// bury lets a stream end by itself whose owner has all that he needs. Many
// servers send the end in a frame of its own, even behind a response that has no
// content; RST_STREAM would tell them that somebody gave up.
func (c *Conn) bury(s *Stream) {
	rest := &Stream{conn: c}
	rest.cond.L = &c.mu
	rest.state = state{
		id: s.id, headAt: s.headAt, buried: true, localEnded: true, headHere: true,
		declared: s.declared, received: s.received, recvWindow: s.recvWindow,
		until: after(buryFor),
	}
	c.streams[s.id] = rest
	c.buried++
	c.count()
	s.removed = true
}

// makeRoom gives up streams that only their end is missing of, if a request needs
// the place.
func (c *Conn) makeRoom() {
	if len(c.streams) < c.Capacity() || c.buried == 0 {
		return
	}
	for _, s := range c.streams {
		if s.buried {
			c.cancel(s, errCancel)
			return
		}
	}
}

// count tells InFlight what is under way.
func (c *Conn) count() { c.inFlight.Store(int32(len(c.streams) - c.buried)) }
