package http2

import "slices"

// sendFlow is what this side may send of content (RFC 9113 §5.2). It is guarded
// by Conn.mu.
type sendFlow struct {
	window int64
	// queue are the streams that have content to send and a window for it. The
	// first sends one frame and goes to the end: no upload holds up another.
	queue []*Stream
}

// wakeSender lets the stream whose turn it is look whether it can send.
func (c *Conn) wakeSender() {
	if len(c.send.queue) > 0 && c.send.window > 0 && len(c.out.pending) < maxPending {
		c.send.queue[0].cond.Broadcast()
	}
}

// leave takes a stream out of the queue.
func (q *sendFlow) leave(s *Stream) {
	if s.queued {
		s.queued = false
		q.queue = slices.DeleteFunc(q.queue, func(other *Stream) bool { return other == s })
	}
}

func (q *sendFlow) enter(s *Stream) {
	if !s.queued {
		s.queued = true
		q.queue = append(q.queue, s)
	}
}

// mine reports whether it is the stream's turn.
func (q *sendFlow) mine(s *Stream) bool { return s.queued && q.queue[0] == s }

// onWindow widens a window for sending (§6.9).
func (c *Conn) onWindow(f *frame) *connError {
	if len(f.payload) != 4 {
		return fatal(errFrameSize, "a WINDOW_UPDATE of another length than 4")
	}
	if err := c.costs(); err != nil {
		return err
	}
	n := int64(number(f.payload) &^ topBit)
	if f.stream == 0 {
		if n == 0 {
			return fatal(errProtocol, "the connection's window is widened by nothing")
		}
		if c.send.window+n > maxWindow {
			return fatal(errFlowControl, "the connection's window is widened too far")
		}
		c.send.window += n
		c.wakeSender()
		return nil
	}
	s, err := c.find(f.stream)
	if s == nil {
		return err
	}
	switch {
	case n == 0:
		s.malformed(errProtocol, "a stream's window is widened by nothing")
	case s.sendWindow+n > maxWindow:
		s.malformed(errFlowControl, "a stream's window is widened too far")
	default:
		s.sendWindow += n
		s.cond.Broadcast()
	}
	return nil
}

// recvFlow is what the peer may send of content, on all streams. The bytes count
// as taken when they arrive: what bounds memory is the windows of streams, and a
// client that reads slowly does not hold up those of others.
type recvFlow struct{ window, taken int64 }

// onData takes content (§6.1).
func (c *Conn) onData(f *frame) *connError {
	if f.stream == 0 {
		return fatal(errProtocol, "DATA without a stream")
	}
	data, ok := f.strip()
	if !ok {
		return fatal(errProtocol, "DATA with more padding than it has bytes")
	}
	n := int64(len(f.payload))
	if c.recv.window -= n; c.recv.window < 0 {
		return fatal(errFlowControl, "more content than the connection's window")
	}
	if c.recv.taken += n; c.recv.taken >= int64(c.opts.ConnWindow)/2 {
		c.out.pending = appendNumber(c.out.pending, frameWindow, 0, uint32(c.recv.taken))
		c.recv.window += c.recv.taken
		c.recv.taken = 0
		c.kick()
	}
	if len(data) == 0 && !f.has(flagEndStream) {
		if err := c.costs(); err != nil {
			return err
		}
	}
	s, err := c.find(f.stream)
	if s == nil {
		return err
	}
	return s.onData(n, data, f.has(flagEndStream))
}
