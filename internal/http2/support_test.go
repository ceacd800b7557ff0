package http2

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A peer is a scripted worker: it reads all the time, and writes what the test
// says.
type peer struct {
	t      *testing.T
	nc     net.Conn
	frames chan frame // closed at the end of the connection
	enc    *hpack.Encoder
	block  bytes.Buffer
	dec    *hpack.Decoder
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	p := &peer{t: t, nc: nc, frames: make(chan frame, 4096), dec: hpack.NewDecoder(4096, nil)}
	p.enc = hpack.NewEncoder(&p.block)
	go p.read()
	return p
}

func (p *peer) read() {
	if _, err := io.ReadFull(p.nc, make([]byte, len(preface))); err != nil {
		close(p.frames)
		return
	}
	p.readFrames()
}

func (p *peer) readFrames() {
	defer close(p.frames)
	r := newFrameReader(p.nc)
	for {
		var f frame
		if r.next(&f) != nil {
			return
		}
		f.payload = bytes.Clone(f.payload)
		p.frames <- f
	}
}

// write sends bytes as they are. A connection that has ended already is the
// test's to see.
func (p *peer) write(b []byte) { _, _ = p.nc.Write(b) }

func (p *peer) frame(kind frameKind, flags uint8, stream uint32, payload []byte) {
	p.write(appendFrame(nil, kind, flags, stream, payload))
}

func (p *peer) settings(pairs ...int) {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = appendSetting(b, uint16(pairs[i]), pairs[i+1])
	}
	p.frame(frameSettings, 0, 0, b)
}

func (p *peer) encode(fields ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = p.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(p.block.Bytes())
}

func (p *peer) head(stream uint32, end bool, fields ...string) {
	p.write(appendHeaders(nil, stream, end, p.encode(fields...)))
}

func (p *peer) data(stream uint32, end bool, text string) {
	flags := uint8(0)
	if end {
		flags = flagEndStream
	}
	p.frame(frameData, flags, stream, []byte(text))
}

// await returns the next frame of that kind; it fails if the connection ends
// before.
func (p *peer) await(kind frameKind) frame {
	p.t.Helper()
	for f := range p.frames {
		if f.kind == kind {
			return f
		}
	}
	p.t.Fatalf("the connection ended without a frame of kind %d", kind)
	return frame{}
}

// awaitEnd returns the code that the connection is ended with.
func (p *peer) awaitEnd() errorCode {
	p.t.Helper()
	f := p.await(frameGoAway)
	for range p.frames { //nolint:revive // until it is closed
	}
	return errorCode(number(f.payload[4:]))
}

// request returns the next request's stream, and its fields as the wire has them.
func (p *peer) request() (stream uint32, fields map[string]string, end bool) {
	p.t.Helper()
	f := p.await(frameHeaders)
	block := f.payload
	for !f.has(flagEndHeaders) {
		more := p.await(frameContinuation)
		block = append(block, more.payload...)
		f.flags |= more.flags & flagEndHeaders
	}
	list, err := p.dec.DecodeFull(block)
	if err != nil {
		p.t.Fatalf("the head of a request cannot be decoded: %v", err)
	}
	fields = map[string]string{}
	for _, field := range list {
		fields[field.Name] += field.Value
	}
	return f.stream, fields, f.has(flagEndStream)
}

// connect returns both ends of a connection that is ready. It is closed at the end
// of the test.
func connect(t *testing.T, o Options, settings ...int) (*Conn, *peer) {
	t.Helper()
	ours, theirs := net.Pipe()
	p := newPeer(t, theirs)
	go p.settings(settings...)
	c, err := NewConn(ours, o)
	if err != nil {
		t.Fatalf("the connection does not come to be: %v", err)
	}
	t.Cleanup(func() { finish(c, p) })
	p.frame(frameSettings, flagAck, 0, nil)
	return c, p
}

func finish(c *Conn, p *peer) {
	c.Close()
	<-c.Closed()
	_ = p.nc.Close()
}

// A recorder is a Responder that keeps interim responses.
type recorder struct{ interim []int }

func (r *recorder) Inform(resp *exchange.Response) error {
	r.interim = append(r.interim, resp.Status)
	return nil
}

func (r *recorder) Respond(*exchange.Response) error { return nil }

func newExchange(method, path string, fields ...string) *exchange.Exchange {
	x := &exchange.Exchange{Responder: &recorder{}, Gone: new(atomic.Bool), Repeatable: true}
	x.Outcome.Attempts = 1
	x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Authority: []byte("example.org"), Path: []byte(path), Minor: 1,
	}
	for i := 0; i < len(fields); i += 2 {
		x.Request.Header = append(x.Request.Header, exchange.Field{
			Name: []byte(fields[i]), Value: []byte(fields[i+1]), ID: http1.FieldIDOf([]byte(fields[i])),
		})
	}
	return x
}

// content is the content of a request: what is there, then what comes.
type content struct {
	now     []string
	later   chan string // nil if all is there; closed at the end
	stop    chan struct{}
	trailer exchange.Header
	err     error // in place of the end
}

func newContent(now ...string) *content { return &content{now: now, stop: make(chan struct{}, 1)} }

func (b *content) Next(wait bool) ([]byte, error) {
	if len(b.now) > 0 {
		piece := b.now[0]
		b.now = b.now[1:]
		return []byte(piece), nil
	}
	if b.later == nil {
		return nil, b.over()
	}
	if !wait {
		return nil, nil
	}
	select {
	case piece, ok := <-b.later:
		if !ok {
			return nil, b.over()
		}
		return []byte(piece), nil
	case <-b.stop:
		return nil, http1.ErrInterrupted
	}
}

func (b *content) over() error {
	if b.err != nil {
		return b.err
	}
	return io.EOF
}

func (b *content) Trailer() exchange.Header   { return b.trailer }
func (b *content) Keep(int)                   {}
func (b *content) Load() (bool, error)        { return true, nil }
func (b *content) Fork() exchange.RequestBody { return b }
func (b *content) Rewind() bool               { return false }

func (b *content) Interrupt() {
	select {
	case b.stop <- struct{}{}:
	default:
	}
}

// with gives x content of that length.
func with(x *exchange.Exchange, b *content, length int64) *exchange.Exchange {
	x.Request.Body, x.Request.Length = b, length
	return x
}

// begun is a round trip on a goroutine of its own.
type begun struct {
	x    *exchange.Exchange
	s    Stream
	done chan *exchange.Failure
}

func start(c *Conn, x *exchange.Exchange) *begun {
	b := &begun{x: x, done: make(chan *exchange.Failure, 1)}
	go func() { b.done <- c.RoundTrip(x, &b.s) }()
	return b
}

// answered waits for the response.
func (b *begun) answered(t *testing.T) *exchange.Response {
	t.Helper()
	if f := <-b.done; f != nil {
		t.Fatalf("the round trip failed: %v", f)
	}
	t.Cleanup(func() { b.s.Close(b.x) })
	return &b.s.Response
}

// fails waits for the failure, which must be of that code.
func (b *begun) fails(t *testing.T, code *exchange.Code, sent bool) *exchange.Failure {
	t.Helper()
	f := <-b.done
	if f == nil {
		b.s.Close(b.x)
		t.Fatalf("the round trip succeeded; it should fail with %s", code.Name)
	}
	if f.Code != code || f.Sent != sent {
		t.Fatalf("the round trip failed with %v (sent: %t), want %s (sent: %t)", f, f.Sent, code.Name, sent)
	}
	return f
}

// readAll reads content to its end, or its failure.
func readAll(body exchange.Body) (string, error) {
	var all []byte
	for body != nil {
		data, err := body.Next(true)
		if err == io.EOF {
			break
		}
		if err != nil {
			return string(all), err
		}
		all = append(all, data...)
	}
	return string(all), nil
}
