package workernode_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/http2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait. Nothing depends on it as long as things work.
const patience = time.Minute

// receive returns what comes, and fails if nothing does.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatalf("%s does not come any more", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
	}
	panic("not reached")
}

// A link is one connection of a worker, as the router has it.
type link struct {
	*http2.Conn
	id       attach.Identity
	draining chan struct{} // closed once it takes no more requests
}

// A router is the real door, and the real client of HTTP/2 behind it.
type router struct {
	door    *attach.Door
	address string
	links   chan *link
	served  chan error
}

// open opens a door at an address until the test ends.
func open(t *testing.T, address string, o attach.Options, rules attach.Rules) *router {
	t.Helper()
	r := &router{links: make(chan *link, 16), served: make(chan error, 1)}
	o.Announce = r.announce
	var err error
	if r.door, err = attach.NewDoor(o, rules); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r.address = l.Addr().String()
	go func() { r.served <- r.door.Serve(l) }()
	t.Cleanup(r.close)
	return r
}

// close ends the router and all its connections. It can be called again.
func (r *router) close() {
	r.door.Close()
	if err, ok := <-r.served; ok && errors.Is(err, attach.ErrClosed) {
		close(r.served)
	}
}

func (r *router) announce(a attach.Attached) error {
	l, err := begin(a.Conn)
	if err != nil {
		return err
	}
	l.id = a.Identity
	r.links <- l
	<-l.Closed()
	return nil
}

// begin begins HTTP/2 on a connection.
func begin(nc net.Conn) (*link, error) {
	l := &link{draining: make(chan struct{})}
	var conn atomic.Pointer[http2.Conn]
	var once sync.Once
	look := func() {
		if c := conn.Load(); c != nil && c.Draining() {
			once.Do(func() { close(l.draining) })
		}
	}
	c, err := http2.NewConn(nc, http2.Options{
		Response: patience, Read: patience, Write: patience, Changed: look,
		Head: http1.RequestHead{FallbackHost: "worker"},
	})
	if err != nil {
		return nil, err
	}
	l.Conn = c
	conn.Store(c)
	look() // meanwhile
	return l, nil
}

func (r *router) link(t *testing.T) *link {
	t.Helper()
	return receive(t, r.links, "a connection of the worker")
}

// A worker is the process of worker.mjs.
type worker struct {
	cmd   *exec.Cmd
	lines chan string
	exit  chan error
}

// run starts worker.mjs. It is killed at the end of the test if it still runs.
func run(t *testing.T, args ...string) *worker {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no node to run worker.mjs with, and this is CI")
		}
		t.Skip("there is no node to run worker.mjs with")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	w := &worker{lines: make(chan string, 1024), exit: make(chan error, 1)}
	w.cmd = exec.CommandContext(ctx, node, append([]string{"worker.mjs"}, args...)...)
	said, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go w.follow(said)
	t.Cleanup(func() {
		cancel()
		for line := range w.lines {
			t.Logf("worker: %s", line)
		}
	})
	return w
}

// follow passes on what the worker says, and how it ends.
func (w *worker) follow(said io.Reader) {
	defer close(w.lines)
	for s := bufio.NewScanner(said); s.Scan(); {
		select {
		case w.lines <- s.Text():
		default: // nobody listens to so much
		}
	}
	w.exit <- w.cmd.Wait()
}

// says waits for a line with that text.
func (w *worker) says(t *testing.T, text string) {
	t.Helper()
	for line := receive(t, w.lines, text); !strings.Contains(line, text); line = receive(t, w.lines, text) {
		t.Logf("worker: %s", line)
	}
}

func (w *worker) terminate(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// exits waits for the end of the process, which must be a clean one.
func (w *worker) exits(t *testing.T) {
	t.Helper()
	if err := receive(t, w.exit, "the end of the worker"); err != nil {
		t.Errorf("the worker ended with %v, want a clean exit", err)
	}
}

// attached runs a worker that attaches to a router of its own.
func attached(t *testing.T, args ...string) (*worker, *link) {
	t.Helper()
	r := open(t, "127.0.0.1:0", attach.Options{}, anonymous)
	w := run(t, append([]string{"--to", r.address}, args...)...)
	return w, r.link(t)
}

var anonymous = attach.Rules{Anonymous: true}

// content is the content of a request, as the test gives it; closed is its end.
type content struct {
	pieces chan string
	stop   chan struct{}
	once   sync.Once
}

func newContent() *content {
	return &content{pieces: make(chan string, 1024), stop: make(chan struct{})}
}

// Next implements exchange.Body.
func (c *content) Next(wait bool) ([]byte, error) {
	if !wait && len(c.pieces) == 0 {
		select {
		case piece, ok := <-c.pieces: // the end is there, or has just come
			return ended(piece, ok)
		default:
			return nil, nil
		}
	}
	select {
	case piece, ok := <-c.pieces:
		return ended(piece, ok)
	case <-c.stop:
		return nil, http1.ErrInterrupted
	}
}

func ended(piece string, ok bool) ([]byte, error) {
	if !ok {
		return nil, io.EOF
	}
	return []byte(piece), nil
}

func (c *content) Trailer() exchange.Header   { return nil }
func (c *content) Keep(int)                   {}
func (c *content) Load() (bool, error)        { return false, nil }
func (c *content) Fork() exchange.RequestBody { return c }
func (c *content) Rewind() bool               { return false }
func (c *content) Interrupt()                 { c.once.Do(func() { close(c.stop) }) }

// nobody is told of interim responses.
type nobody struct{}

func (nobody) Inform(*exchange.Response) error  { return nil }
func (nobody) Respond(*exchange.Response) error { return nil }

// A call is a request to the worker, and its response.
type call struct {
	t      *testing.T
	x      *exchange.Exchange
	s      http2.Stream
	body   *content
	got    strings.Builder
	closed bool
}

func newCall(t *testing.T, method, target string, fields ...string) *call {
	c := &call{t: t, x: &exchange.Exchange{Responder: nobody{}, Gone: new(atomic.Bool)}}
	path, query, found := strings.Cut(target, "?")
	c.x.Outcome.Attempts = 1
	c.x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Path: []byte(path), Query: []byte(query), HasQuery: found, Minor: 1,
	}
	for i := 0; i < len(fields); i += 2 {
		c.x.Request.Header = append(c.x.Request.Header, exchange.Field{
			Name: []byte(fields[i]), Value: []byte(fields[i+1]), ID: http1.FieldIDOf([]byte(fields[i])),
		})
	}
	return c
}

// send sends a request, and waits for the head of the response to it.
func send(t *testing.T, l *link, method, target string, fields ...string) *call {
	t.Helper()
	c := newCall(t, method, target, fields...)
	if method == "POST" {
		c.body = newContent()
		c.x.Request.Body, c.x.Request.Length = c.body, exchange.LengthUnknown
	}
	if f := l.RoundTrip(c.x, &c.s); f != nil {
		t.Fatalf("%s %s failed: %v", method, target, f)
	}
	t.Cleanup(c.close)
	return c
}

func (c *call) close() {
	if !c.closed {
		c.closed = true
		c.s.Close(c.x)
	}
}

// reads reads content of the response until that text has come.
func (c *call) reads(text string) {
	c.t.Helper()
	for !strings.Contains(c.got.String(), text) {
		data, err := c.s.Response.Body.Next(true)
		if err != nil {
			c.t.Fatalf("after %d bytes of the response: %v, and %.40q has not come", c.got.Len(), err, text)
		}
		c.got.Write(data)
	}
}

// rest reads the response to its end, and returns its whole content.
func (c *call) rest() string {
	c.t.Helper()
	for c.s.Response.Body != nil {
		data, err := c.s.Response.Body.Next(true)
		if err == io.EOF {
			break
		}
		if err != nil {
			c.t.Fatalf("after %d bytes of the response: %v", c.got.Len(), err)
		}
		c.got.Write(data)
	}
	c.close()
	return c.got.String()
}

// values returns the values of all fields of that name in the response.
func (c *call) values(name string) (all []string) {
	for _, field := range c.s.Response.Header {
		if string(field.Name) == name {
			all = append(all, string(field.Value))
		}
	}
	return all
}

// receiveEnd waits until a channel is closed.
func receiveEnd(t *testing.T, closed <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
	}
}

// listen returns a listener that is closed at the end of the test, and whose
// Accept waits no longer than patience.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// certificate returns a server's certificate for 127.0.0.1, and the file with what
// verifies it.
func certificate(t *testing.T) (secured *tls.Config, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "router"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, ca
}
