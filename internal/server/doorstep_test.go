package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/exchange"
)

// patience bounds waiting for what has to come. Nothing is measured by it.
const patience = time.Minute

// A doorstep is a server with a listener where clients and workers come in, and
// with the real door for these.
type doorstep struct {
	*Server
	door      *attach.Door
	address   string
	secure    *tls.Config // of clients; nil: clear text
	announced chan attach.Attached
	seen      chan seen
}

// seen is what was observed of an exchange.
type seen struct {
	path, id, failure, upgrade string
	status                     int
	handled                    bool
}

// A step is what of a doorstep is not as usual.
type step struct {
	tls      bool
	server   func(*Options)
	listener func(*Listener)
	door     func(*attach.Options)
}

var tokens = attach.Rules{Tokens: []attach.Token{{Secret: "alpha", Services: []string{"web"}}}, Anonymous: true}

// newDoorstep serves on a real port until the test ends.
func newDoorstep(t *testing.T, s step) *doorstep {
	t.Helper()
	d := &doorstep{announced: make(chan attach.Attached, 2000), seen: make(chan seen, 4000)}
	cfg := Listener{Address: "edge", Upgrades: []string{"websocket"}}
	if s.tls {
		cfg.TLS, d.secure = keys()
	}
	o := attach.Options{Announce: func(a attach.Attached) error {
		d.announced <- a
		return nil
	}}
	if s.door != nil {
		s.door(&o)
	}
	door, err := attach.NewDoor(o, tokens)
	if err != nil {
		t.Fatal(err)
	}
	d.door, cfg.Attach = door, door
	if s.listener != nil {
		s.listener(&cfg)
	}
	d.serve(t, s, cfg)
	return d
}

func (d *doorstep) serve(t *testing.T, s step, cfg Listener) {
	t.Helper()
	o := options()
	o.Handler = exchange.HandlerFunc(func(x *exchange.Exchange) {
		x.Outcome.Service = "handled"
		_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1, Reason: []byte("No Content")})
	})
	o.Observe = d.observe
	if s.server != nil {
		s.server(&o)
	}
	d.Server = New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = l.Addr().String()
	serving := make(chan error, 1)
	go func() { serving <- d.Serve(l, cfg) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		d.door.Close()
		if err := <-serving; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve returns %v", err)
		}
	})
}

func (d *doorstep) observe(x *exchange.Exchange) {
	s := seen{
		path: string(x.Request.Path), id: string(x.ID), upgrade: string(x.Request.Upgrade),
		status: x.Outcome.Status, handled: x.Outcome.Service == "handled",
	}
	if f := x.Outcome.Failure; f != nil {
		s.failure = f.Code.Name
	}
	d.seen <- s
}

// dial opens a connection, which is closed with the test.
func (d *doorstep) dial(t *testing.T, protocols ...string) *caller {
	t.Helper()
	c, err := d.tryDial(protocols...)
	if err != nil {
		t.Fatalf("dialing with %v: %v", protocols, err)
	}
	t.Cleanup(func() { _ = c.Conn.Close() })
	return c
}

func (d *doorstep) tryDial(protocols ...string) (*caller, error) {
	raw, err := net.Dial("tcp", d.address)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(patience)) // a test that hangs says where
	nc := raw
	if d.secure != nil {
		cfg := d.secure.Clone()
		cfg.NextProtos = protocols
		secure := tls.Client(raw, cfg)
		if err := secure.Handshake(); err != nil {
			_ = raw.Close()
			return nil, err
		}
		nc = secure
	}
	return &caller{Conn: nc, Reader: bufio.NewReader(nc)}, nil
}

// A caller is a client, or a worker.
type caller struct {
	net.Conn
	*bufio.Reader
}

func (c *caller) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// asks is a request to attach, with more fields.
func asks(fields ...string) string {
	return "GET " + attach.Path + " HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: PTTH\r\nALPN: h2\r\n" +
		strings.Join(append(fields, "", ""), "\r\n")
}

// asksWell is a request that is let in.
func asksWell() string { return asks("Authorization: Bearer alpha", "Weir-Service: web") }

const ordinary = "GET /ordinary HTTP/1.1\r\nHost: edge\r\n\r\n"

// told is what a caller was answered.
type told struct {
	*http.Response
	problem exchange.Problem
}

// ask sends text and reads the answer to it.
func (c *caller) ask(t *testing.T, text string) told {
	t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		t.Fatalf("sending: %v", err)
	}
	return c.answer(t)
}

func (c *caller) answer(t *testing.T) told {
	t.Helper()
	resp, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatalf("no answer came: %v", err)
	}
	a := told{Response: resp}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return a
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.NewDecoder(resp.Body).Decode(&a.problem); err != nil {
			t.Fatalf("the %d has no problem document: %v", resp.StatusCode, err)
		}
	}
	return a
}

// isOver reports whether the server has closed the connection.
func (c *caller) isOver() bool {
	_, err := c.ReadByte()
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// attach has a new connection attached, and returns both ends of it.
func (d *doorstep) attach(t *testing.T) (worker *caller, router attach.Attached) {
	t.Helper()
	worker = d.dial(t, "http/1.1")
	if a := worker.ask(t, asksWell()); a.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("a worker is answered %d: %s", a.StatusCode, a.problem.Detail)
	}
	return worker, d.next(t)
}

// next returns what is announced next.
func (d *doorstep) next(t *testing.T) attach.Attached {
	t.Helper()
	return receive(t, "a worker is announced", d.announced)
}

func receive[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("%s: still not, after %v", what, patience)
	}
	return v
}

// eventually fails the test unless holds becomes true while one may wait.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: still not, after %v", what, patience)
		}
	}
}

// open returns how many connections the server counts as clients'.
func (d *doorstep) open() int {
	n, _ := d.Connections()
	return n
}

// watched returns how many connections Shutdown would end.
func (d *doorstep) watched() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.clients)
}

// wantCarries reports an error unless bytes get through both ways, more of them
// than a socket takes at once.
func wantCarries(t *testing.T, worker, router net.Conn) {
	t.Helper()
	for _, way := range []struct {
		what     string
		from, to net.Conn
	}{{"to the worker", router, worker}, {"to the router", worker, router}} {
		sent := strings.Repeat(way.what, 1<<16)
		var writing sync.WaitGroup
		writing.Go(func() {
			if _, err := io.WriteString(way.from, sent); err != nil {
				t.Errorf("writing %s: %v", way.what, err)
			}
		})
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != sent {
			t.Errorf("what was sent %s did not arrive (%v)", way.what, err)
		}
		writing.Wait()
	}
}

// keys are configurations of a server and of its clients, which have a
// certificate that the server knows.
var keys = sync.OnceValues(func() (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"edge.example.com"}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "edge.example.com"}
})

// logTo has a door log into b.
func logTo(b io.Writer) func(*attach.Options) {
	return func(o *attach.Options) { o.Log = slog.New(slog.NewTextHandler(b, nil)) }
}
