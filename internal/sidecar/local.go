package sidecar

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

const (
	// maxIdle is how long a connection is kept without use. Servers close theirs
	// after 2 s at the earliest (most after 5 s and more), so this side closes
	// first, and no request meets a connection that is just being closed. To
	// connect again on the same machine costs next to nothing.
	maxIdle = time.Second
	// maxHead bounds the head of a response. The router's own limit is lower.
	maxHead = 1 << 20
	// lookahead is how much is read at once. It is more than http.Transport and
	// stream ask for, so that what has come behind a response is seen.
	lookahead = 40 << 10
)

// newTransports returns the clients of the local server: one for ordinary
// requests, and one of HTTP/1.1 for those that upgrade.
func (h *Handler) newTransports() (ordinary, upgrading *http.Transport) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := h.dial(ctx)
		if err != nil {
			return nil, err
		}
		return newLocalConn(c), nil
	}
	upgrading = &http.Transport{
		DisableCompression:     true,
		MaxIdleConns:           h.opts.Concurrency,
		MaxIdleConnsPerHost:    h.opts.Concurrency,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: maxHead,
		DialContext:            dial,
		DialTLSContext:         dial, // one that is wrapped is not looked into for ALPN
	}
	if h.target.scheme != "h2c" {
		return upgrading, upgrading
	}
	ordinary = &http.Transport{
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
		Protocols:              new(http.Protocols),
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return h.dial(ctx) },
	}
	ordinary.Protocols.SetUnencryptedHTTP2(true)
	return ordinary, upgrading
}

// dial opens a connection to the local server. Its error is a *failure.
func (h *Handler) dial(ctx context.Context) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, h.opts.Connect)
	defer cancel()
	c, err := new(net.Dialer).DialContext(limited, h.target.network, h.target.address)
	if err == nil && h.target.scheme == "https" {
		c, err = h.secure(limited, c)
	} else if err != nil {
		err = &failure{connectFailed, err}
	}
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = &failure{connectTimeout, err}
	}
	if ctx.Err() == nil {
		h.note(err)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// secure makes the connection one of TLS, over which HTTP/1.1 is spoken.
func (h *Handler) secure(ctx context.Context, c net.Conn) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(h.target.address)
	s := tls.Client(c, &tls.Config{ServerName: name, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := s.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, &failure{tlsFailed, err}
	}
	return s, nil
}

// note logs that the local server has gone, or has come.
func (h *Handler) note(err error) {
	switch {
	case err != nil && !h.down.Swap(true):
		h.opts.Log.Warn("the local server cannot be reached; requests are answered with 502 until it can be", "url", h.target, "error", err)
	case err == nil && h.down.Swap(false):
		h.opts.Log.Info("the local server can be reached again", "url", h.target)
	}
}

// A localConn is a connection to the local server by HTTP/1.1 that knows three
// things of the present exchange which http.Transport does not tell.
//
// The first is whether bytes of it have left. A server may answer early, say with
// 413, and close. Who still sends to it then fails, and http.Transport would throw
// away the answer for that. So writing, once it has begun well, never fails: that
// the server is gone is seen by reading, which finds the answer first.
//
// The second is which fields the response had; see exchanged.
//
// The third is where the response ends. A server that sends more in the same breath,
// a second response even, would have it taken for the answer to the next request:
// http.Transport sees that something is left over only after it has put the
// connection back among those that can be used. So what comes behind a response is
// withheld, and the connection ends there.
type localConn struct {
	net.Conn
	in *bufio.Reader // read by one goroutine, http.Transport's or a tunnel's

	mu    sync.Mutex
	now   *received // of the present exchange; nil before the first
	begun bool      // bytes of the present request were written
	ended bool      // reading has failed, or met the end
	// weary: the present request was sent often enough, and is not sent here.
	weary bool
}

func newLocalConn(c net.Conn) *localConn {
	return &localConn{Conn: c, in: bufio.NewReaderSize(c, lookahead)}
}

// begin forgets the exchange before.
func (c *localConn) begin(toHEAD, weary bool) *received {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.weary, c.now = false, weary, &received{toHEAD: toHEAD}
	return c.now
}

// sent reports whether bytes of the present request have left.
func (c *localConn) sent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun
}

// refuse reports whether nothing is to be written.
func (c *localConn) refuse() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = c.ended || c.weary
	return c.weary
}

// errWeary: the request was sent on other connections, which ended without an answer.
var errWeary = errors.New("the local server has closed one connection after the other")

// Write implements net.Conn.
func (c *localConn) Write(p []byte) (int, error) {
	if c.refuse() {
		return 0, errWeary
	}
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.begun && !errors.Is(err, net.ErrClosed) {
		return len(p), nil
	}
	c.begun = c.begun || n > 0
	return n, err
}

// Read implements net.Conn. With the last bytes of a response behind which there is
// more it returns io.EOF, and http.Transport uses the connection no more.
func (c *localConn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		own := c.now.keep(p[:n])
		if own < n || c.now.over() && c.in.Buffered() > 0 {
			n, err = own, io.EOF
		}
	}
	c.ended = c.ended || err != nil
	return n, err
}

// CloseWrite says that no more bytes follow.
func (c *localConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}

// received is the head of a response, as it was received. It is guarded by the
// mutex of its connection.
type received struct {
	head   []byte
	whole  bool // nothing of it is missing
	toHEAD bool // the request was one
	extent extent
}

// keep collects the head, and follows the content. It returns how many bytes are the
// response's.
func (r *received) keep(p []byte) int {
	switch {
	case r.whole:
		return r.extent.follow(p)
	case len(r.head) > maxHead:
		return len(p)
	}
	r.head = append(r.head, p...)
	for {
		head, rest, found := cutHead(r.head)
		if !found {
			return len(p)
		}
		if !isInterim(head) {
			r.head, r.whole = head, true
			r.extent = newExtent(r, r.toHEAD)
			return len(p) - len(rest) + r.extent.follow(rest)
		}
		r.head = rest
	}
}

// over reports whether nothing of the response is missing.
func (r *received) over() bool { return r.whole && r.extent.part == finished }

// status returns the status as it is written.
func (r *received) status() string {
	_, rest, _ := strings.Cut(string(r.head[:min(len(r.head), 32)]), " ")
	return rest[:min(len(rest), 3)]
}

// values returns those of the fields called name.
func (r *received) values(name string) (values []string) {
	for line := range bytes.Lines(r.head) {
		field, value, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(field), name) {
			values = append(values, string(bytes.Trim(value, " \t\r\n")))
		}
	}
	return values
}

// cutHead cuts text behind the empty line that ends a head.
func cutHead(text []byte) (head, rest []byte, found bool) {
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			return nil, text, false
		}
		line := bytes.TrimSuffix(text[i:i+n], []byte("\r"))
		i += n + 1
		if len(line) == 0 {
			return text[:i], text[i:], true
		}
	}
}

// isInterim reports whether a head is that of an interim response.
func isInterim(head []byte) bool {
	_, status, _ := bytes.Cut(head, []byte(" "))
	return len(status) > 2 && status[0] == '1' && string(status[:3]) != "101"
}

// An exchanged is what is known of an exchange beside its response.
type exchanged struct {
	conn     *localConn // nil before there is one, and over HTTP/2
	received *received
	toHEAD   bool // the request is one
	sent     int  // on how many connections before
}

// mostSent is how often a request is sent. http.Transport sends one that may be
// repeated again when a connection that was kept ends without an answer, for it may
// have been closed before; and again, on each that was kept. How often a request may
// be executed is the router's to say: once more is for the connection that was
// closed, what is beyond would be the doing of the request.
const mostSent = 2

// begin is called with each connection that the request is sent on.
func (e *exchanged) begin(info httptrace.GotConnInfo) {
	c, ok := info.Conn.(*localConn)
	if !ok {
		return
	}
	if e.conn != nil && e.conn.sent() {
		e.sent++
	}
	e.conn, e.received = c, c.begin(e.toHEAD, e.sent >= mostSent)
}

// ended reports whether the local server has closed the connection.
func (e *exchanged) ended() bool {
	if e.conn == nil {
		return false
	}
	e.conn.mu.Lock()
	defer e.conn.mu.Unlock()
	return e.conn.ended
}

// restore makes of a response's fields what the local server has sent, as far as
// http.Transport has changed them:
//
//   - Where there is Pragma: no-cache and no Cache-Control, it adds Cache-Control:
//     no-cache.
//   - It removes Connection: close, with whatever else that field names.
func (e *exchanged) restore(header http.Header) {
	if e.conn == nil {
		return
	}
	e.conn.mu.Lock()
	defer e.conn.mu.Unlock()
	if !e.received.whole {
		return
	}
	if len(header["Pragma"]) > 0 && len(e.received.values("Cache-Control")) == 0 {
		delete(header, "Cache-Control")
	}
	if connection := e.received.values("Connection"); len(connection) > 0 {
		header["Connection"] = connection
	}
}
