package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A fake is an endpoint. Its connections are numbered from 1; serve plays each.
type fake struct {
	serve func(c *fakeConn)
	dials atomic.Int32
	posts atomic.Int32 // requests of that method seen

	// reached is told that a connection is where the test wants it, goOn that
	// it may go on, closed that it has ended. They are of the test's bubble.
	reached, goOn, closed chan struct{}
}

func newFake(serve func(*fakeConn)) *fake {
	return &fake{
		serve:   serve,
		reached: make(chan struct{}, 8), goOn: make(chan struct{}), closed: make(chan struct{}, 8),
	}
}

// A fakeConn is one connection to it, from the endpoint's side.
type fakeConn struct {
	net.Conn
	*bufio.Reader
	fake   *fake
	number int
}

// request reads one request; false at the end of the connection.
func (c *fakeConn) request() bool {
	req, err := http.ReadRequest(c.Reader)
	if err != nil {
		return false
	}
	if req.Method == http.MethodPost {
		c.fake.posts.Add(1)
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

// answer sends a response whose content is the number of the connection.
func (c *fakeConn) answer() {
	_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", c.number)
}

// answerAll is an endpoint as it should be.
func answerAll(c *fakeConn) {
	for c.request() {
		c.answer()
	}
}

func (f *fake) begin(c net.Conn) {
	go func() {
		defer c.Close()
		f.serve(f.conn(c, int(f.dials.Add(1))))
	}()
}

func (f *fake) conn(c net.Conn, number int) *fakeConn {
	return &fakeConn{c, bufio.NewReader(c), f, number}
}

// say sends text; false if the connection has ended.
func (c *fakeConn) say(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// gone waits until the connection ends.
func (c *fakeConn) gone() { _, _ = io.Copy(io.Discard, c.Reader) }

func options() Options {
	return Options{
		Dialer:   Dialer{Address: endpoint.Address{Network: "tcp", Host: "127.0.0.1", Port: "80"}, Timeout: time.Minute},
		Limits:   http1.Limits{HeaderBytes: 64 << 10, HeaderCount: 128},
		Response: time.Minute, Read: time.Minute, Write: time.Minute, Idle: time.Minute,
		MaxIdle: 8, Watchdog: new(conn.Watchdog),
	}
}

// overPipes returns the way to f through memory, for virtual time.
func (f *fake) overPipes(o Options) *HTTP1 {
	o.Dialer.Connect = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		f.begin(theirs)
		return ours, nil
	}
	return NewHTTP1(o)
}

// overTCP returns the way to f through loopback sockets.
func (f *fake) overTCP(t *testing.T, o Options) *HTTP1 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.begin(c)
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	o.Dialer.Address.Port = port
	tr := NewHTTP1(o)
	t.Cleanup(func() {
		_ = l.Close()
		tr.Close()
	})
	return tr
}

// newExchange is a request without content, that may be repeated if its method is
// idempotent.
func newExchange(method string) *exchange.Exchange {
	x := &exchange.Exchange{Gone: new(atomic.Bool), Start: exchange.Now()}
	x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Authority: []byte("app"), Path: []byte("/"), Minor: 1,
	}
	x.Repeatable = x.Request.Method.Idempotent()
	x.Outcome.Attempts = 1
	return x
}

// readAll reads what is left of the response's content.
func readAll(t *testing.T, c *Call) string {
	t.Helper()
	var all []byte
	for c.Response.Body != nil {
		data, err := c.Response.Body.Next(true)
		all = append(all, data...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("reading the content: %v", err)
			break
		}
	}
	return string(all)
}

// get makes a whole round trip and returns the number of the connection that it
// went over.
func get(t *testing.T, tr *HTTP1, method string) string {
	t.Helper()
	c, x := new(Call), newExchange(method)
	if f := tr.RoundTrip(x, c); f != nil {
		t.Fatalf("%s failed: %v", method, f)
	}
	text := readAll(t, c)
	c.Close(x)
	return text
}

func wantConnections(t *testing.T, tr *HTTP1, active, idle int) {
	t.Helper()
	if a, i := tr.Connections(); a != active || i != idle {
		t.Errorf("%d connections are in use and %d are kept, want %d and %d", a, i, active, idle)
	}
}

// eventually fails the test unless holds becomes true while one may wait.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: still not, after %v", what, patience)
		}
	}
}

// wantFailure fails the test unless f is of that code.
func wantFailure(t *testing.T, f *exchange.Failure, code *exchange.Code) {
	t.Helper()
	switch {
	case f == nil:
		t.Fatalf("it succeeded, want %s", code.Name)
	case f.Code != code:
		t.Fatalf("it failed with %v, want %s", f, code.Name)
	}
}
