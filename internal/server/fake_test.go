package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func options() Options {
	return Options{
		Limits:        http1.Limits{HeaderBytes: 64 << 10, HeaderCount: 128},
		HeaderTimeout: time.Minute, BodyTimeout: time.Minute, IdleTimeout: time.Hour, WriteTimeout: time.Minute,
		Replay:   &content.Budget{Each: 1 << 10, Total: 1 << 20},
		Watchdog: new(conn.Watchdog),
	}
}

// A memory is a listener whose connections are pipes, for virtual time.
type memory struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newMemory() *memory { return &memory{conns: make(chan net.Conn), done: make(chan struct{})} }

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

func (m *memory) dial() net.Conn {
	ours, theirs := net.Pipe()
	m.conns <- theirs
	return ours
}

// A fake is a client of a server. Its requests come in parts: the first is sent
// at once, each other one when the handler lets it.
type fake struct {
	net.Conn
	*bufio.Reader
	server *Server
	next   chan struct{}
}

// letNext lets the client send another part of its request.
func (f *fake) letNext() { f.next <- struct{}{} }

// connect starts a server, has handle serve its exchanges, and calls test with a
// client of it. Then everything ends.
func connect(t *testing.T, o Options, l net.Listener, dial func() net.Conn, handle func(*fake, *exchange.Exchange), test func(*fake)) {
	t.Helper()
	f := &fake{next: make(chan struct{})}
	o.Handler = exchange.HandlerFunc(func(x *exchange.Exchange) {
		handle(f, x)
		_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1, Reason: []byte("No Content")})
	})
	f.server = New(o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = f.server.Serve(l, Listener{Address: "test"}) })
	f.Conn = dial()
	f.Reader = bufio.NewReader(f.Conn)
	test(f)
	_ = f.Conn.Close()
	if err := f.server.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	serving.Wait()
	if n := f.server.opts.Replay.Used(); n != 0 {
		t.Errorf("when all is over %d bytes of content are still kept", n)
	}
}

// overPipe connects through memory.
func overPipe(t *testing.T, o Options, handle func(*fake, *exchange.Exchange), test func(*fake)) {
	t.Helper()
	m := newMemory()
	connect(t, o, m, m.dial, handle, test)
}

// overTCP connects through a loopback socket.
func overTCP(t *testing.T, o Options, handle func(*fake, *exchange.Exchange), test func(*fake)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connect(t, o, l, func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}, handle, test)
}

// send sends a request in parts and returns the response's status; 0 if there is
// none.
func (f *fake) send(parts ...string) int {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i, part := range parts {
			if i > 0 {
				<-f.next
			}
			if _, err := io.WriteString(f.Conn, part); err != nil {
				return
			}
		}
	}()
	<-sent
	resp, err := http.ReadResponse(f.Reader, nil)
	if err != nil {
		return 0
	}
	return resp.StatusCode
}

// An arrival is a way in which a request with content comes. Content longer than
// a byte comes in two pieces, unless it comes with the head.
type arrival struct {
	how string
	// withHead: the content comes with the head, and the handler lets nothing.
	withHead bool
	parts    func(content string) []string
}

const head = "PUT / HTTP/1.1\r\nHost: app\r\n"

func lengthOf(content string) string {
	return "Content-Length: " + strconv.Itoa(len(content)) + "\r\n\r\n"
}

var arrivals = []arrival{
	{"with the head", true, func(content string) []string {
		return []string{head + lengthOf(content) + content}
	}},
	{"behind the head", false, func(content string) []string {
		half := len(content) / 2
		return []string{head + lengthOf(content) + content[:half], content[half:]}
	}},
	{"in chunks", false, func(content string) []string {
		half := len(content) / 2
		return []string{
			head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(content[:half]),
			chunk(content[half:]) + "0\r\nX-Sum: 7\r\n\r\n",
		}
	}},
}

func chunk(data string) string {
	return strconv.FormatInt(int64(len(data)), 16) + "\r\n" + data + "\r\n"
}

// readAll reads b to its end.
func readAll(t *testing.T, b exchange.Body) string {
	var all []byte
	for {
		data, err := b.Next(true)
		all = append(all, data...)
		if err == io.EOF {
			return string(all)
		}
		if err != nil {
			t.Errorf("reading content: %v", err)
			return string(all)
		}
	}
}

// wantFailure reports an error unless err is a failure of that code.
func wantFailure(t *testing.T, err error, code *exchange.Code) {
	t.Helper()
	if f, ok := err.(*exchange.Failure); !ok || f.Code != code {
		t.Errorf("it returns %v, want %s", err, code.Name)
	}
}
