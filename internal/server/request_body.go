package server

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A requestBody is the content of the request that is being served. It
// implements exchange.RequestBody, and content.Splicer.
//
// Content that arrived whole with the head is handed out where it lies. Other
// content is read from the client as it is asked for, or by Load, and kept as long
// as it is small, in case it has to be sent again.
type requestBody struct {
	client *client
	// complete: all content is in whole.
	complete bool
	whole    []byte
	at       int

	stream      content.Body
	source      source
	interrupted atomic.Bool
	atEnd       atomic.Bool

	kept content.Kept // of stream
}

// A source is a client's connection read for content, behind a head that stays
// where it is. Its failures are the client's.
type source struct {
	content.Reader
	interrupted *atomic.Bool
}

// Fill implements http1.Source.
func (s *source) Fill() error {
	err := s.Reader.Fill()
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return s.failure(err)
}

// failure is why the client could not be read.
func (s *source) failure(err error) error {
	switch {
	case s.interrupted.Load():
		return http1.ErrInterrupted
	case s.Deadline > 0 && exchange.Now() >= s.Deadline:
		return exchange.Fail(exchange.CodeRequestDeadline, "", nil)
	case s.Conn.Watch().Ended() == conn.TimedOut:
		return exchange.Fail(exchange.CodeBodyTimeout, "", nil)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return exchange.Fail(exchange.CodeMalformedBody, "the client closed before the end of its content", err)
	default: // a reset: there is nobody left to tell
		return exchange.Fail(exchange.CodeClientGone, "", err)
	}
}

// prepare makes b the content that follows a head, framed by f.
func (b *requestBody) prepare(c *client, f http1.Framing) {
	req := &c.ws.x.Request
	b.client, b.at, b.whole, b.complete = c, 0, nil, true
	b.kept.Begin(c.server.opts.Replay)
	b.atEnd.Store(true)
	req.Body = nil
	if f.Kind == http1.BodyNone {
		return
	}
	req.Body = b
	limit := c.server.opts.BodyBytes
	in := &c.ws.in
	if f.Kind == http1.BodyLength && int64(in.Len()) >= f.Length && (limit == 0 || f.Length <= limit) {
		b.whole = in.Bytes()[:f.Length:f.Length]
		in.Consume(int(f.Length))
		return
	}
	b.complete = false
	b.atEnd.Store(false)
	b.openStream(f)
}

// openStream prepares to read content from the client. What has arrived of it is
// moved, because the memory it lies in must not move as long as the head is
// needed.
func (b *requestBody) openStream(f http1.Framing) {
	c := b.client
	b.interrupted.Store(false)
	b.source = source{interrupted: &b.interrupted, Reader: content.Reader{
		Conn:    c.conn,
		Limit:   max(c.server.opts.Limits.HeaderBytes, conn.BufferSize),
		Timeout: c.server.opts.BodyTimeout,
		After:   conn.PhaseServe,
	}}
	buf := &b.source.Buf
	if ahead := c.ws.in.Bytes(); len(ahead) > 0 {
		for len(ahead) > 0 {
			n := copy(buf.Space(b.source.Limit), ahead)
			buf.Received(n)
			ahead = ahead[n:]
		}
		c.ws.in.Consume(c.ws.in.Len())
	}
	b.stream.Begin(&b.source.Reader, &b.source, f, http1.BodyOptions{
		Limits:     &c.server.opts.Limits,
		MaxContent: c.server.opts.BodyBytes,
	})
}

// Next implements exchange.Body.
func (b *requestBody) Next(wait bool) (data []byte, err error) {
	switch {
	case b.complete && b.at == len(b.whole):
		return nil, io.EOF
	case b.complete:
		data, b.at = b.whole[b.at:], len(b.whole)
		return data, nil
	}
	if data = b.kept.Next(); data != nil {
		return data, nil
	}
	if data, err = b.read(wait); err == nil {
		b.kept.Note(data)
	}
	return data, err
}

// read reads from the client.
func (b *requestBody) read(wait bool) ([]byte, error) {
	data, err := b.stream.Next(wait)
	// What has a length is known to end before somebody asks for more.
	if left, known := b.stream.Remaining(); err == io.EOF || known && left == 0 {
		b.atEnd.Store(true)
	}
	return data, err
}

// Trailer implements exchange.Body.
func (b *requestBody) Trailer() exchange.Header {
	if b.complete {
		return nil
	}
	return b.stream.Trailer()
}

// Keep implements exchange.RequestBody.
func (b *requestBody) Keep(n int) { b.kept.Limit(n) }

// Load implements exchange.RequestBody.
func (b *requestBody) Load() (whole bool, err error) {
	if b.complete {
		return len(b.whole) <= b.kept.Most(), nil
	}
	if left, known := b.stream.Remaining(); known && !b.kept.Fits(left) {
		return false, nil // this is known without reading it
	}
	b.source.Deadline = b.client.ws.x.Deadline
	defer func() { b.source.Deadline = 0 }()
	return b.kept.Load(b.read)
}

// Fork implements exchange.RequestBody.
func (b *requestBody) Fork() exchange.RequestBody {
	if b.complete {
		return content.NewFork(b.whole, nil)
	}
	return b.kept.Fork(b.stream.Trailer())
}

// Rewind implements exchange.RequestBody.
func (b *requestBody) Rewind() bool {
	b.resume()
	if !b.complete {
		return b.kept.Rewind()
	}
	if b.at > 0 && len(b.whole) > b.kept.Most() {
		return false
	}
	b.at = 0
	return true
}

// resume lets the client be read again after an Interrupt.
func (b *requestBody) resume() {
	if b.interrupted.Load() {
		b.interrupted.Store(false)
		b.client.conn.AllowRead()
	}
}

// Interrupt implements exchange.RequestBody.
func (b *requestBody) Interrupt() {
	b.interrupted.Store(true)
	b.client.conn.AbortRead()
}

// SpliceTo implements content.Splicer.
func (b *requestBody) SpliceTo(dst conn.Conn, lim conn.SpliceLimits) (n int64, handled bool, err error) {
	if b.complete || b.kept.Pending() || b.source.Buf.Len() > 0 || b.keepsAll() {
		return 0, false, nil
	}
	n, handled, err = b.stream.SpliceTo(dst, lim)
	var read *conn.ReadError
	if errors.As(err, &read) {
		err = b.source.failure(read.Err)
	}
	if handled { // also what was read and could not be written is gone
		b.kept.Spill()
	}
	if left, known := b.stream.Remaining(); known && left == 0 {
		b.atEnd.Store(true)
	}
	return n, handled, err
}

// keepsAll reports whether the whole content will be small enough to be kept, as
// far as can be told.
func (b *requestBody) keepsAll() bool {
	left, known := b.stream.Remaining()
	return known && b.kept.Fits(left)
}

// ended reports whether the whole content was read from the client. It may be
// called while another goroutine reads.
func (b *requestBody) ended() bool { return b.atEnd.Load() }

// finish is called when the exchange is over.
func (b *requestBody) finish() {
	b.resume()
	b.kept.End()
}

// giveBack returns what was read beyond the content.
func (b *requestBody) giveBack(in *conn.Buffer) {
	if b.complete {
		return
	}
	_, _ = b.stream.Next(false) // consumes what was handed out last
	in.Release()
	*in = b.source.Buf
	b.source.Buf = conn.Buffer{}
}

func (b *requestBody) release() {
	b.source.Buf.Release()
	b.whole, b.client = nil, nil
}
