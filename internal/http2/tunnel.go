package http2

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 has it so; nothing depends on its strength
	"encoding/base64"
	"errors"
	"io"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// websocketGUID is what an answer to a WebSocket's key is made with (RFC 6455
// §1.3).
const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var errAborted = errors.New("the tunnel was ended")

// wantsTunnel reports whether the request becomes an extended CONNECT (RFC 8441
// §5). A peer that does not know it gets the request without its Upgrade.
func wantsTunnel(req *exchange.Request) bool {
	return req.Body == nil && exchange.EqualFold(req.Upgrade, "websocket")
}

// tunnel is the two directions of a stream that was opened by an extended CONNECT.
type tunnel struct {
	stream *Stream
	rest   []byte // has arrived and was not read
	size   int64
	ended  bool // Abort was called; guarded by Conn.mu
}

// beginTunnel makes the response one that an HTTP/1.1 client has asked for.
func (s *Stream) beginTunnel() {
	header := exchange.Header{
		{Name: []byte("Connection"), Value: []byte("Upgrade"), ID: exchange.FieldConnection},
		{Name: []byte("Upgrade"), Value: []byte("websocket"), ID: exchange.FieldUpgrade},
	}
	if key, ok := s.x.Request.Header.Lookup("Sec-WebSocket-Key"); ok {
		sum := sha1.Sum(append([]byte(string(key)), websocketGUID...)) //nolint:gosec // see above
		accept := base64.StdEncoding.AppendEncode(nil, sum[:])
		header = append(header, exchange.Field{Name: []byte("Sec-WebSocket-Accept"), Value: accept})
	}
	for _, field := range s.final.header {
		if field.ID != exchange.FieldContentLength && !exchange.EqualFold(field.Name, "Sec-WebSocket-Accept") {
			header = append(header, field)
		}
	}
	s.Response = exchange.Response{Status: 101, Minor: 1, Reason: reason(101), Header: header}
	s.pipe = tunnel{stream: s}
	s.moved = exchange.Now()
	s.Response.Tunnel = &s.pipe
}

// Read implements exchange.Tunnel.
func (t *tunnel) Read(p []byte) (int, error) {
	s := t.stream
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	for len(t.rest) == 0 {
		s.widen(t.size)
		t.size = 0
		if t.rest = s.collect(); t.rest != nil {
			t.size = int64(len(t.rest))
			s.moved = exchange.Now()
			break
		}
		switch {
		case s.broken != nil:
			return 0, s.broken
		case s.remoteEnded:
			return 0, io.EOF
		case t.ended || s.stopped.Load() || passed(t.idleBy()):
			return 0, errAborted
		}
		s.until = t.idleBy()
		s.cond.Wait()
		s.until = 0
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// idleBy is when the tunnel has carried nothing for too long; 0 is never.
func (t *tunnel) idleBy() time.Duration {
	if limit := t.stream.conn.opts.Tunnel; limit > 0 {
		return t.stream.moved + limit
	}
	return 0
}

// Write implements exchange.Tunnel.
func (t *tunnel) Write(p []byte) (int, error) {
	if err := t.stream.transmit(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite implements exchange.Tunnel.
func (t *tunnel) CloseWrite() error {
	s := t.stream
	s.conn.mu.Lock()
	defer s.conn.unlock()
	if s.quiet || s.removed || s.localEnded {
		return errSendEnded
	}
	s.endContent()
	s.conn.kick()
	return nil
}

// Abort makes everything that waits on the tunnel fail.
func (t *tunnel) Abort() {
	s := t.stream
	s.conn.mu.Lock()
	defer s.conn.unlock()
	t.ended, s.quiet = true, true
	s.cond.Broadcast()
}

// patience is how long the peer may take no content.
func (s *Stream) patience() time.Duration {
	if s.Response.Tunnel != nil && s.conn.opts.Tunnel > 0 {
		return s.conn.opts.Tunnel
	}
	return s.conn.opts.Write
}
