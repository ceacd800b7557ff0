package attach

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// oneConn is a listener that yields one connection.
type oneConn struct {
	conn   net.Conn
	first  sync.Once
	closed chan struct{}
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	l.first.Do(func() { c = l.conn })
	if c != nil {
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

// plain hides a connection's TLS from net/http, which would look for ALPN in it.
type plain struct{ net.Conn }

func unencryptedHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// serveWorker is a worker: a server of HTTP/2 on a connection that it dialed.
func serveWorker(t *testing.T, c net.Conn) {
	server := &http.Server{Protocols: unencryptedHTTP2(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Proto, r.URL.Path, body)
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(&oneConn{conn: plain{c}, closed: make(chan struct{})}) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// roundTrip sends a request from the router's side of a connection.
func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	transport := &http.Transport{
		Protocols:   unencryptedHTTP2(),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}
	client, err := transport.NewClientConn(t.Context(), "http", "worker:80")
	if err != nil {
		t.Fatalf("the router cannot begin: %v", err)
	}
	defer client.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://worker/hello", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.RoundTrip(req)
	if err != nil {
		t.Fatalf("the worker did not answer: %v", err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "HTTP/2.0 /hello body" {
		t.Errorf("the worker answered %q (%v)", body, err)
	}
}

func TestWorker_ServesARequestAfterAnUpgrade(t *testing.T) {
	g := newGate(t, Options{}, workers)
	c := g.mustDial(t, "", "http/1.1")
	if _, err := io.WriteString(c, request("Authorization: Bearer alpha", "Weir-Service: web")); err != nil {
		t.Fatal(err)
	}
	readAccept(t, c)
	serveWorker(t, c)
	roundTrip(t, (<-g.announced).Conn)
}

// readAccept reads a 101 byte by byte, so that nothing behind it is lost.
func readAccept(t *testing.T, c *tls.Conn) {
	t.Helper()
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b...) {
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatalf("the answer ended after %q: %v", head, err)
		}
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101 ") {
		t.Fatalf("the answer is %q", head)
	}
}

func TestWorker_ServesARequestAfterReversal(t *testing.T) {
	g := newGate(t, Options{}, workers)
	serveWorker(t, g.mustDial(t, "worker.example.com", "rh2"))
	a := <-g.announced
	if _, err := g.Identify(a.Conn, nil, ""); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, a.Conn)
}

// haproxy is a worker's side as HAProxy has it: it sends the preface of a client,
// and expects none.
type haproxy struct {
	net.Conn
	expected string
}

// Read yields the preface that was not received, and what follows it.
func (h *haproxy) Read(p []byte) (int, error) {
	if h.expected != "" {
		n := copy(p, h.expected)
		h.expected = h.expected[n:]
		return n, nil
	}
	return h.Conn.Read(p)
}

func TestWorker_ServesARequestAsHAProxyDials(t *testing.T) {
	g := newGate(t, Options{}, workers)
	c := g.mustDial(t, "worker.example.com", "h2")
	if _, err := io.WriteString(c, preface); err != nil {
		t.Fatal(err)
	}
	serveWorker(t, &haproxy{c, preface})
	roundTrip(t, (<-g.announced).Conn)
}
