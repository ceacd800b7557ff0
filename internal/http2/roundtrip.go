package http2

import (
	"errors"
	"io"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

const (
	// composeUpTo bounds how much content is put behind a head before it is sent.
	composeUpTo = 16 << 10
	// maxStreamID is the last stream that a connection can carry (RFC 9113 §5.1.1).
	maxStreamID = 1<<31 - 1
)

// RoundTrip sends the request of x and reads the response's head into s.Response.
// s must be closed when it succeeds; when it fails there is nothing to close, and
// the failure says whether anything was sent. A request that the peer has said it
// did not look at, by REFUSED_STREAM or GOAWAY, counts as not sent.
//
// It fails at once if the connection carries as many requests as it has Capacity.
func (c *Conn) RoundTrip(x *exchange.Exchange, s *Stream) *exchange.Failure {
	s.begin(c, x)
	if f := c.roundTrip(x, s); f != nil {
		s.Close(x)
		c.Settle()
		return f
	}
	s.respond()
	return nil
}

func (c *Conn) roundTrip(x *exchange.Exchange, s *Stream) *exchange.Failure {
	if f := c.prepare(s); f != nil { // before content is taken that others may need
		return f
	}
	whole, f := c.compose(x, s)
	if f != nil { // the client's content is wrong from its beginning
		return f
	}
	if f := c.open(s, whole); f != nil {
		return f
	}
	if !whole || s.upload.late {
		s.startUpload()
	}
	return s.awaitHead()
}

// prepare says why the request cannot be sent now, and in which form it can.
func (c *Conn) prepare(s *Stream) *exchange.Failure {
	c.mu.Lock()
	defer c.unlock()
	s.tunnel = c.peer.connect && wantsTunnel(&s.x.Request)
	return c.admit(s)
}

// compose encodes the head of the request, and collects the content that has
// arrived; whole tells whether that is all of it.
func (c *Conn) compose(x *exchange.Exchange, s *Stream) (whole bool, f *exchange.Failure) {
	req := &x.Request
	x.Outcome.RequestBytes = 0 // of this try
	s.ahead = s.ahead[:0]
	shape := requestShape{dropExpect: req.Body == nil || x.Outcome.Attempts > 1 || x.Continued, tunnel: s.tunnel}
	err := error(io.EOF)
	if req.Body != nil {
		err = s.readAhead(req.Body)
		shape.dropExpect = shape.dropExpect || len(s.ahead) > 0
		x.Outcome.RequestBytes = int64(len(s.ahead))
	}
	if err != nil && err != io.EOF {
		return false, asFailure(err, exchange.CodeMalformedBody)
	}
	s.path = appendPath(s.path[:0], req, &c.opts.Head)
	e := encoder{block: append(s.block[:0], noTable)}
	e.request(req, &c.opts, s.path, shape)
	s.block = e.block
	return err == io.EOF, nil
}

// readAhead collects content that has arrived; nil if more may follow.
func (s *Stream) readAhead(content exchange.RequestBody) error {
	for len(s.ahead) <= composeUpTo {
		data, err := content.Next(false)
		if err != nil || len(data) == 0 {
			return err
		}
		s.ahead = append(s.ahead, data...)
	}
	return nil
}

// open sends the head, and the content behind it if that is whole and fits.
func (c *Conn) open(s *Stream, whole bool) *exchange.Failure {
	c.mu.Lock()
	defer c.unlock()
	s.at.Store(c)
	if f := c.admit(s); f != nil {
		return f
	}
	s.removed = false
	s.id = c.nextID
	c.nextID += 2
	s.sendWindow, s.recvWindow = c.peer.window, c.newWindow()
	c.streams[s.id] = s
	c.count()
	c.budget.forgive(budgetRequest)
	c.clock.hurry()
	block := s.block
	if s.id > 1 {
		block = block[1:] // the peer knows that there is no table
	}
	s.headAt = c.out.position()
	s.sendHead(block, whole)
	if c.nextID > maxStreamID {
		c.drainOff()
	}
	c.kick()
	return nil
}

// admit says why the request cannot be sent now; nil if it can.
func (c *Conn) admit(s *Stream) *exchange.Failure {
	if f := s.left(); f != nil {
		return f
	}
	c.makeRoom()
	switch {
	case c.err != nil:
		return exchange.Fail(exchange.CodeEndpointClosed, "", c.err)
	case c.draining.Load() || len(c.streams) >= c.Capacity():
		return exchange.Fail(exchange.CodeEndpointClosed, "the connection takes no more requests at present", nil)
	case len(c.out.pending) > maxHeads:
		// The peer takes no bytes, and has Options.Write to change that. Who
		// comes meanwhile need not wait for it.
		return exchange.Fail(exchange.CodeEndpointClosed, "the endpoint takes no bytes at present", nil)
	default:
		return nil
	}
}

// sendHead writes the head. Content that is whole goes with it if the windows let.
func (s *Stream) sendHead(block []byte, whole bool) {
	c := s.conn
	var trailer exchange.Header
	if whole && s.x.Request.Body != nil {
		trailer = s.x.Request.Body.Trailer()
	}
	end := whole && len(s.ahead) == 0 && len(trailer) == 0 && !s.tunnel
	c.out.pending = appendHeaders(c.out.pending, s.id, end, block)
	s.answerBy = 0
	if whole {
		s.answerBy = after(c.opts.Response)
	}
	switch {
	case end:
		s.end(true, false)
	case !whole || s.tunnel:
	case s.fits(len(s.ahead)):
		for rest := s.ahead; len(rest) > 0; {
			n := s.push(rest, len(trailer) == 0)
			rest = rest[n:]
		}
		s.pushTrailer(trailer)
	default:
		s.upload.late, s.answerBy = true, 0
	}
}

// fits reports whether n bytes can be sent at once, before anybody else's.
func (s *Stream) fits(n int) bool {
	c := s.conn
	return len(c.send.queue) == 0 && int64(n) <= min(s.sendWindow, c.send.window)
}

// awaitHead waits for the final response, and passes interim ones on.
func (s *Stream) awaitHead() *exchange.Failure {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	for {
		if len(s.interims) > 0 {
			h := s.interims[0]
			s.interims = s.interims[1:]
			c.mu.Unlock()
			err := s.inform(h)
			c.mu.Lock()
			if err != nil {
				return s.sent(asFailure(err, exchange.CodeClientGone))
			}
			continue
		}
		if f := s.verdict(); f != nil || s.headHere && s.broken == nil {
			s.until = 0
			return f
		}
		s.until = s.headBy()
		s.cond.Wait()
	}
}

// verdict is why the wait for the response's head is over; nil if it is not.
func (s *Stream) verdict() *exchange.Failure {
	if f := s.left(); f != nil {
		return s.sent(f)
	}
	switch {
	case s.broken != nil:
		return s.broken
	case s.headHere, !passed(s.headBy()): // the clock costs more than all the rest
		return nil
	case passed(s.x.Deadline):
		return s.sent(exchange.Fail(exchange.CodeRequestDeadline, "", nil))
	case passed(s.x.TryDeadline):
		return s.sent(exchange.Fail(exchange.CodeResponseTimeout, "no response within retry.per_try", nil))
	default:
		return s.sent(exchange.Fail(exchange.CodeResponseTimeout, "", nil))
	}
}

// headBy is when the wait for the response's head ends; 0 is never.
func (s *Stream) headBy() time.Duration {
	return sooner(s.answerBy, sooner(s.x.Deadline, s.x.TryDeadline))
}

// sent notes in f whether anything of the request has left, or still may: what
// waits to be written is written after all, unless the network has failed.
func (s *Stream) sent(f *exchange.Failure) *exchange.Failure {
	out := &s.conn.out
	f.Sent = !out.broken || out.hasLeft(s.headAt)
	return f
}

// inform passes an interim response on, if the client can read it and has asked
// for it.
func (s *Stream) inform(h *head) error {
	req := &s.x.Request
	if req.Minor == 0 || h.status == 100 && !req.ExpectContinue {
		return nil
	}
	return s.x.Responder.Inform(&exchange.Response{Status: h.status, Minor: 1, Reason: reason(h.status), Header: h.header})
}

// respond fills in the final response.
func (s *Stream) respond() {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.body = body{stream: s}
	s.Response = exchange.Response{
		Status: s.final.status, Reason: reason(s.final.status), Minor: 1,
		Header: s.final.header, Length: s.declared,
	}
	switch {
	case s.tunnel && s.final.status < 300:
		s.beginTunnel()
	case s.remoteEnded && len(s.in) == 0 && len(s.trailer.header) == 0, s.declared == 0:
		s.Response.Length = 0
	default:
		s.Response.Body = &s.body
	}
}

// asFailure returns err as the failure it is, or else as one of that code.
func asFailure(err error, code *exchange.Code) *exchange.Failure {
	var f *exchange.Failure
	if errors.As(err, &f) {
		own := *f // failures of the parser are shared
		return &own
	}
	return exchange.Fail(code, "", err)
}
