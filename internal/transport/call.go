package transport

import (
	"errors"
	"io"
	"net"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/http2"
)

// maxInterim bounds how many interim responses precede a final one.
const maxInterim = 64

// keptOut is how large a Call's memory for outgoing bytes may be to be kept.
const keptOut = 32 << 10

// A Call is one round trip under way: the response, and the connection that it
// comes from. The zero value is ready for RoundTrip; after Close it can be used
// for another one.
type Call struct {
	// Response is what the endpoint answered. Its head is valid until content
	// is waited for, its content until Close.
	Response exchange.Response
	// Stop ends the round trip from another goroutine; nil is nobody. It is
	// set before RoundTrip, and not changed before Close.
	Stop *Stop

	link    *link
	out     []byte
	body    body
	ahead   ahead
	upload  upload
	framing http1.Framing
	// sent counts the bytes of head and content written in one go.
	sent int
	// stray: there was something on the connection that was not asked for.
	stray bool
	// stream is what carries it over HTTP/2, while streaming; its memory is
	// kept for the next.
	stream    *http2.Stream
	streaming bool
}

// run sends the request over l and reads the response's head. When it fails, l
// is closed, unless nothing was done with it.
func (c *Call) run(x *exchange.Exchange, l *link) *exchange.Failure {
	c.link, c.sent, c.stray, c.upload.cut = l, 0, false, false
	if c.Stop != nil && !c.Stop.attach(l) {
		l.owner.put(c.part())
		return exchange.Fail(exchange.CodeCancelled, "", nil)
	}
	whole, f := c.compose(x)
	if f != nil { // the client's content is wrong from its beginning
		l.owner.put(c.part())
		return f
	}
	if f = c.send(x, whole); f == nil {
		f = c.readHead(x)
	}
	if f == nil {
		return nil
	}
	if u := c.upload.stop(l, x); u != nil && u.Code.Side == exchange.SideClient {
		f = u // what went wrong first is what the client sent
	}
	c.part().close()
	return sent(f, c.sent > 0)
}

// sent returns f with what is known of whether a byte has left. Failures to read
// content are shared by all requests: one that changes is a copy.
func sent(f *exchange.Failure, left bool) *exchange.Failure {
	if !left || f.Sent {
		return f
	}
	own := *f
	own.Sent = true
	return &own
}

// part parts with the connection. Stop does not touch it from here on.
func (c *Call) part() *link {
	if c.Stop != nil {
		c.Stop.detach()
	}
	l := c.link
	c.link = nil
	return l
}

// stopped ends a round trip that was stopped, and that has ended with f.
func (c *Call) stopped(x *exchange.Exchange, f *exchange.Failure) *exchange.Failure {
	cancelled := exchange.Fail(exchange.CodeCancelled, "", nil)
	cancelled.Sent = f == nil || f.Sent
	c.Close(x)
	return cancelled
}

// composeUpTo bounds how much content is put behind a head before it is sent.
const composeUpTo = 16 << 10

// compose puts into c.out the head of the request, and the content that has
// arrived; whole tells whether that is all of it.
func (c *Call) compose(x *exchange.Exchange) (whole bool, f *exchange.Failure) {
	req := &x.Request
	x.Outcome.RequestBytes = 0 // of this try
	head := c.link.owner.options().Head
	head.Framing = requestFraming(req)
	head.Upgrade = len(req.Upgrade) > 0
	head.DropExpect = x.Outcome.Attempts > 1 || x.Continued
	if req.Body == nil {
		head.DropExpect = true
		c.out = http1.AppendRequestHead(c.out[:0], req, &head)
		return true, nil
	}
	data, err := req.Body.Next(false)
	// Who has sent content already does not wait to be asked for it.
	head.DropExpect = head.DropExpect || len(data) > 0
	c.out = http1.AppendRequestHead(c.out[:0], req, &head)
	for err == nil && len(data) > 0 {
		c.out = appendContent(c.out, data, head.Framing)
		x.Outcome.RequestBytes += int64(len(data))
		if len(c.out) > composeUpTo {
			return false, nil
		}
		data, err = req.Body.Next(false)
	}
	switch {
	case err == io.EOF:
		c.out = appendEnd(c.out, head.Framing, req.Body, head.Headers)
		return true, nil
	case err != nil:
		return false, asFailure(err, exchange.CodeMalformedBody)
	default:
		return false, nil
	}
}

// send writes what compose has put together and waits for the answer. What is
// missing of the content is sent by a second goroutine meanwhile; the endpoint's
// time to answer begins when it has sent all.
func (c *Call) send(x *exchange.Exchange, whole bool) *exchange.Failure {
	l := c.link
	response := l.owner.options().Response
	limit := response
	if !whole {
		limit = 0
	}
	if !l.await(x, limit) {
		return c.waitFailure(x, nil)
	}
	var err error
	if whole {
		c.sent, err = l.conn().WriteThenWait(c.out)
	} else {
		c.sent, err = l.conn().Write(c.out)
	}
	if cap(c.out) > keptOut {
		c.out = nil
	}
	switch {
	case err == nil && whole:
	case err == nil:
		c.startUpload(x)
	case c.sent > 0 && !whole:
		l.await(x, response) // it may have answered before it stopped reading
	default:
		return c.waitFailure(x, err)
	}
	return nil
}

func (c *Call) startUpload(x *exchange.Exchange) {
	wait, _ := remaining(0, x.Deadline)
	c.link.conn().Watch().Begin(conn.PhaseAwait, wait)
	if x.Request.ExpectContinue && x.Outcome.Attempts > 1 && !x.Continued {
		_ = x.Responder.Inform(&exchange.Response{Status: 100, Minor: 1, Reason: []byte("Continue")})
	}
	c.upload.start(c.link, x)
}

// readHead reads response heads until the final one.
func (c *Call) readHead(x *exchange.Exchange) *exchange.Failure {
	for range maxInterim {
		if f := c.readOneHead(x); f != nil {
			return f
		}
		status := c.Response.Status
		switch {
		case status >= 200:
			return c.beginContent(x)
		case status == 101:
			return c.beginTunnel(x)
		case status == 100 && !x.Request.ExpectContinue:
			// Nobody asked for it.
		case x.Request.Minor > 0: // HTTP/1.0 knows no interim responses
			if err := x.Responder.Inform(&c.Response); err != nil {
				return asFailure(err, exchange.CodeClientGone)
			}
		}
	}
	return exchange.Fail(exchange.CodeMalformedResponse, "interim responses without end", nil)
}

func (c *Call) readOneHead(x *exchange.Exchange) *exchange.Failure {
	r, lim := &c.link.reader, &c.link.owner.options().Limits
	searched, end := 0, http1.HeadEnd(r.Buffered(), 0)
	for end == 0 {
		if r.Buf.Len() >= lim.HeaderBytes {
			return asFailure(http1.ResponseTooLarge(), exchange.CodeResponseTooLarge)
		}
		searched = r.Buf.Len()
		if err := r.Buf.Fill(r.Conn, r.Limit); err != nil {
			return c.waitFailure(x, err)
		}
		c.link.answered = true
		end = http1.HeadEnd(r.Buffered(), searched)
	}
	framing, err := http1.ParseResponse(r.Buffered()[:end], lim, x.Request.Method, &c.Response)
	if err != nil {
		return asFailure(err, exchange.CodeMalformedResponse)
	}
	r.Consume(end)
	c.framing = framing
	return nil
}

// beginContent prepares the content of a final response.
func (c *Call) beginContent(x *exchange.Exchange) *exchange.Failure {
	l := c.link
	if !c.upload.headArrived(l) {
		return c.waitFailure(x, nil)
	}
	l.reader.Deadline = x.Deadline
	c.body.reset(l, c.framing, c.Stop)
	c.Response.Body, c.Response.Tunnel = nil, nil
	if c.framing.Kind != http1.BodyNone {
		c.Response.Body = &c.body
	}
	return c.checkForStrayBytes()
}

// waitFailure says why waiting for the endpoint ended without an answer.
func (c *Call) waitFailure(x *exchange.Exchange, err error) *exchange.Failure {
	w := c.link.conn().Watch()
	switch reason := w.Ended(); {
	case c.Stop.stopped():
		return exchange.Fail(exchange.CodeCancelled, "", nil)
	case reason == conn.ClientGone || x.Gone.Load():
		return exchange.Fail(exchange.CodeClientGone, "", nil)
	case passed(x.Deadline):
		return exchange.Fail(exchange.CodeRequestDeadline, "", nil)
	case passed(x.TryDeadline) && (reason == conn.TimedOut || !c.upload.running):
		return exchange.Fail(exchange.CodeResponseTimeout, perTry, nil)
	case reason == conn.TimedOut && w.EndedPhase() == conn.PhaseWrite:
		return exchange.Fail(exchange.CodeResponseTimeout, "the endpoint does not take the request", nil)
	case reason == conn.TimedOut:
		return exchange.Fail(exchange.CodeResponseTimeout, "", nil)
	case isAlert(err):
		// In TLS 1.3 the client is done with the handshake before the endpoint
		// has seen, and may refuse, its certificate.
		return exchange.Fail(exchange.CodeTLSFailed, "", err)
	case errors.Is(err, io.EOF) && c.link.reader.Buf.Len() > 0:
		return exchange.Fail(exchange.CodeEndpointClosed, "the endpoint closed in the middle of its response head", nil)
	default:
		return exchange.Fail(exchange.CodeEndpointClosed, "", err)
	}
}

// isAlert reports whether err is a TLS alert from the other side.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// Close ends the round trip. The connection goes back to the pool if it can
// carry another one.
func (c *Call) Close(x *exchange.Exchange) {
	if c.streaming {
		c.closeStream(x)
		return
	}
	l := c.link
	if l == nil {
		return
	}
	uploaded := c.upload.finished()
	c.upload.stop(l, x)
	reuse := http1.Reuse{
		ResponseKeepAlive: c.framing.KeepAlive,
		RequestSent:       uploaded,
		ResponseRead:      c.framing.Kind == http1.BodyNone || c.body.done(),
		Upgraded:          c.Response.Tunnel != nil,
		Excess:            l.reader.Buf.Len() > 0,
	}
	c.part()
	c.Response.Body, c.Response.Tunnel = nil, nil
	if reuse.Endpoint() { // unless it was stopped; put sees that
		l.owner.put(l)
		return
	}
	l.close()
}

// asFailure returns err as the failure it is, or else as one of that code.
func asFailure(err error, code *exchange.Code) *exchange.Failure {
	var f *exchange.Failure
	if errors.As(err, &f) {
		cp := *f // failures of the parser are shared
		return &cp
	}
	return exchange.Fail(code, "", err)
}
