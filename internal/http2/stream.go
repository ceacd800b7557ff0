package http2

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Stream is one round trip under way, and its memory. The zero value is ready
// for RoundTrip; after Close it can be used for another one, on any connection.
//
// It belongs to one goroutine; Stop alone may be called from others.
type Stream struct {
	// Response is what the peer answered. It is valid until Close.
	Response exchange.Response

	stopped atomic.Bool
	at      atomic.Pointer[Conn] // where Stop finds who waits

	conn  *Conn
	x     *exchange.Exchange
	block []byte // the head that is sent
	path  []byte
	ahead []byte // content that had arrived with it
	body  body
	pipe  tunnel
	// cond wakes who waits on the stream: for its response, or to send. It is not of
	// state, because a late Stop may still broadcast.
	cond sync.Cond

	state
}

// state is what of a stream is guarded by Conn.mu.
type state struct {
	id     uint32
	headAt int64 // where in the bytes written its head begins
	// localEnded and remoteEnded: that side has sent everything. removed: the
	// stream is over for the protocol, and the connection does not know it.
	localEnded, remoteEnded, removed bool
	// buried: nobody waits for it but the connection, see Conn.bury.
	buried bool
	// broken is why nothing more will come of it; nil while it may.
	broken *exchange.Failure
	tunnel bool // it was opened by an extended CONNECT

	final, trailer head
	headHere       bool
	interims       []*head // not passed on yet
	interimCount   int

	sendWindow int64
	queued     bool // for its turn to send
	quiet      bool // the peer wants no more content
	upload     uploadState

	recvWindow, credit int64  // credit is what was read and can be sent anew
	declared, received int64  // content
	in, handed, spare  []byte // what arrived; what was handed out; memory
	until, sendUntil   time.Duration
	answerBy, moved    time.Duration
}

// Stop ends the round trip from another goroutine, at any moment: RoundTrip fails
// with CodeCancelled, and so does whatever waits for content or to send. The peer
// sees RST_STREAM when the stream is closed. Once stopped a Stream stays so, until
// Reset. It waits for nobody.
func (s *Stream) Stop() {
	s.stopped.Store(true)
	if c := s.at.Load(); c != nil {
		c.mu.Lock()
		s.cond.Broadcast()
		c.mu.Unlock()
	}
}

// Reset forgets that s was stopped. Nobody may call Stop meanwhile.
func (s *Stream) Reset() { s.stopped.Store(false) }

// Streamed reports whether content of the request was sent after its head, as it
// came from the client: how long the response took says little of the endpoint.
func (s *Stream) Streamed() bool { return s.upload.started }

// StopUpload ends the sending of the request's content, once the response has
// come, so that the content can be read again and sent elsewhere. The response can
// still be read.
func (s *Stream) StopUpload(x *exchange.Exchange) bool {
	if s.conn != nil {
		s.stopUpload(x)
	}
	return true
}

// Close ends the round trip: the peer is told if it or we have more to send.
func (s *Stream) Close(x *exchange.Exchange) {
	if s.conn == nil {
		return
	}
	s.stopUpload(x)
	c := s.conn
	c.mu.Lock()
	x.Outcome.RequestBytes += s.upload.bytes
	if s.onlyEndMissing() {
		c.bury(s)
	} else {
		c.cancel(s, errCancel)
	}
	s.at.Store(nil)
	c.unlock()
	s.conn, s.x = nil, nil
	s.Response.Body, s.Response.Tunnel = nil, nil
	s.giveBack()
}

// giveBack lets go of memory that is too much to keep.
func (s *Stream) giveBack() {
	const keep = 32 << 10
	for _, m := range []*[]byte{&s.in, &s.spare, &s.ahead, &s.block, &s.final.text, &s.trailer.text} {
		if cap(*m) > keep {
			*m = nil
		}
	}
	s.handed, s.interims = nil, nil
}

// begin makes s a new stream of c.
func (s *Stream) begin(c *Conn, x *exchange.Exchange) {
	s.conn, s.x = c, x
	old := &s.state
	s.state = state{
		final: old.final, trailer: old.trailer, in: old.in[:0], spare: old.spare[:0],
		declared: exchange.LengthUnknown,
		removed:  true, // not there yet
	}
	s.cond.L = &c.mu
}

// remove has the connection forget a stream: it is over for the protocol.
func (c *Conn) remove(s *Stream) {
	if s.removed {
		return
	}
	s.removed = true
	c.send.leave(s)
	c.wakeSender()
	delete(c.streams, s.id)
	if s.buried {
		c.buried--
	}
	c.count()
	c.endIfDrained()
}

// cancel ends a stream that is not over.
func (c *Conn) cancel(s *Stream, code errorCode) {
	if s.removed {
		return
	}
	if c.err == nil {
		c.budget.forgive(budgetStray)
		c.out.pending = appendNumber(c.out.pending, frameReset, s.id, uint32(code))
		c.kick()
	}
	c.remove(s)
}

// breakOff notes that nothing more will come of the stream. What has arrived
// whole is not touched by it.
func (s *Stream) breakOff(why *exchange.Failure) {
	s.quiet = true
	if !s.remoteEnded && s.broken == nil {
		s.broken = why
	}
	s.cond.Broadcast()
}

// malformed ends a stream on which the peer has broken the rules (RFC 9113
// §5.4.2, §8.1.1).
func (s *Stream) malformed(code errorCode, why string) {
	s.refuse(exchange.CodeMalformedResponse, code, why)
}

func (s *Stream) refuse(code *exchange.Code, wire errorCode, why string) {
	f := exchange.Fail(code, why, nil)
	f.Sent = true
	s.breakOff(f)
	s.conn.cancel(s, wire)
}

// end notes that one side, or the other, has sent everything.
func (s *Stream) end(local, remote bool) {
	s.localEnded = s.localEnded || local
	s.remoteEnded = s.remoteEnded || remote
	if s.localEnded && s.remoteEnded {
		s.conn.remove(s)
	}
	s.cond.Broadcast()
}

// onReset ends the stream as the peer wishes. After its whole response it may so
// say that it wants no more of the request (§8.1).
func (s *Stream) onReset(code errorCode) {
	f := exchange.Fail(exchange.CodeEndpointClosed, "the endpoint has given up the request", nil)
	f.Sent = true
	if code == errRefusedStream && !s.headHere {
		f.Sent, f.Detail = false, "the endpoint takes no more requests at present"
	}
	s.breakOff(f)
	s.conn.remove(s)
}

// due reports whether somebody who waits on the stream should look at the time.
func (s *Stream) due(now time.Duration) bool {
	return s.until > 0 && now >= s.until || s.sendUntil > 0 && now >= s.sendUntil || !s.buried && s.x.Gone.Load()
}

// left reports why whoever waits should not: nobody wants the answer any more.
func (s *Stream) left() *exchange.Failure {
	switch {
	case s.stopped.Load():
		return exchange.Fail(exchange.CodeCancelled, "", nil)
	case s.x.Gone.Load() && s.Response.Tunnel == nil:
		return exchange.Fail(exchange.CodeClientGone, "", nil)
	default:
		return nil
	}
}
