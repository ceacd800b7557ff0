package sidecar

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// serveTLS serves HTTP/1.1 over TLS on localhost, and returns the URL.
func serveTLS(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	serveOn(t, tls.NewListener(ln, trusted(t)), &http.Server{Handler: h})
	return "https://localhost:" + port
}

// serveUnix serves HTTP/1.1 on a Unix socket, and returns the URL.
func serveUnix(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sidecar") // a socket's path is short; a test's folder is not
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "web.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, ln, &http.Server{Handler: h})
	return "unix:" + path
}

func serveOn(t *testing.T, ln net.Listener, s *http.Server) {
	s.ReadHeaderTimeout = soon
	s.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
}

// FuzzReceived checks that the head of an answer is found alike, however it
// arrives.
func FuzzReceived(f *testing.F) {
	f.Add("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nPragma: no-cache\r\n\r\nbody", 7)
	f.Add("HTTP/1.1 101 Switching\n\n", 1)
	f.Add("\n\n\n", 2)
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n", 3)
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: r\r\n\r\nmore", 5)
	f.Fuzz(func(t *testing.T, text string, step int) {
		if step < 1 {
			return
		}
		var once, pieces received
		own, piecemeal := once.keep([]byte(text)), 0
		for rest := text; rest != ""; {
			n := min(step, len(rest))
			piecemeal += pieces.keep([]byte(rest[:n]))
			rest = rest[n:]
		}
		if len(once.head) <= maxHead && (own != piecemeal || once.over() != pieces.over()) {
			t.Fatalf("at once %d bytes of %q are the answer's, in pieces %d", own, text, piecemeal)
		}
		if once.whole != pieces.whole || string(once.head) != string(pieces.head) {
			t.Fatalf("at once it is %q, in pieces %q", once.head, pieces.head)
		}
		if once.whole && !strings.Contains(text, string(once.head)) {
			t.Fatalf("%q is not in %q", once.head, text)
		}
	})
}

func TestHandler_KeepsAsManyConnectionsAsRequestsMayBe(t *testing.T) {
	const many, kept = 5, 2
	arrived, release := make(chan struct{}, many), make(chan struct{})
	closed := make(chan struct{}, many)
	s := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived <- struct{}{}
			<-release
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		},
	}
	r := attach(t, "http://"+serve(t, s, s.Handler), Options{Concurrency: kept})
	var all sync.WaitGroup
	for range many {
		req := r.request(t, "GET", "/", nil)
		all.Go(func() {
			resp, err := r.client.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	for range many {
		<-arrived
	}
	close(release)
	all.Wait()
	for range many - kept {
		<-closed // what is too much goes
	}
	if n := len(closed); n > 0 {
		t.Errorf("%d more connections are closed than must be", n)
	}
}
