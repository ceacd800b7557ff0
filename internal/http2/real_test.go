package http2

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// oneListener hands one connection to a server.
type oneListener struct {
	conns chan net.Conn
	addr  net.Addr
}

func (l *oneListener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error   { return nil }
func (l *oneListener) Addr() net.Addr { return l.addr }

// dialReal returns a connection to the server of net/http.
func dialReal(tb testing.TB, o Options, handler http.Handler) *Conn {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	theirs, err := net.Dial("tcp", ln.Addr().String()) // the worker dials
	if err != nil {
		tb.Fatal(err)
	}
	ours, err := ln.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	_ = ln.Close()
	one := &oneListener{make(chan net.Conn, 1), theirs.LocalAddr()}
	one.conns <- theirs
	server := &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	server.Protocols.SetUnencryptedHTTP2(true)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(one) })
	c, err := NewConn(ours, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		c.Close()
		<-c.Closed()
		close(one.conns)
		_ = server.Close()
		serving.Wait()
	})
	return c
}

// mirror answers with what it was sent.
func mirror(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Path", r.URL.RequestURI())
	w.Header().Set("Trailer", "X-Sum")
	sum := sha256.New()
	buf := make([]byte, 8<<10)
	for {
		n, err := r.Body.Read(buf)
		sum.Write(buf[:n])
		_, _ = w.Write(buf[:n])
		if err != nil {
			break
		}
	}
	w.Header().Set("X-Sum", fmt.Sprintf("%x", sum.Sum(nil)))
}

func TestReal_ManyRequestsAtOnce(t *testing.T) {
	c := dialReal(t, Options{Response: time.Minute, Read: time.Minute, Write: time.Minute}, http.HandlerFunc(mirror))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			var s Stream
			for k := range 8 {
				if err := oneMirrored(c, &s, i*8+k); err != nil {
					t.Errorf("request %d.%d: %v", i, k, err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := c.InFlight(); n != 0 {
		t.Errorf("%d requests are under way after the last, want none", n)
	}
}

// oneMirrored sends content of a size that differs from request to request, and
// checks that it comes back.
func oneMirrored(c *Conn, s *Stream, n int) error {
	text := strings.Repeat(fmt.Sprintf("%d,", n), 1+n*n)
	b := newContent(text[:len(text)/2])
	b.later = make(chan string, 1)
	b.later <- text[len(text)/2:]
	close(b.later)
	x := with(newExchange("POST", fmt.Sprintf("/%d?q", n)), b, int64(len(text)))
	if f := c.RoundTrip(x, s); f != nil {
		return f
	}
	defer s.Close(x)
	got, err := readAll(s.Response.Body)
	if err != nil {
		return err
	}
	if got != text {
		return fmt.Errorf("%d bytes come back, not the %d that were sent", len(got), len(text))
	}
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	if sum, _ := s.Response.Body.Trailer().Lookup("x-sum"); string(sum) != want {
		return fmt.Errorf("the trailer has the sum %s, want %s", sum, want)
	}
	return nil
}

func TestReal_CancelledRequestsEndThere(t *testing.T) {
	seen := make(chan struct{})
	c := dialReal(t, Options{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- struct{}{}
		<-r.Context().Done()
		seen <- struct{}{}
	}))
	b := start(c, newExchange("GET", "/"))
	<-seen
	b.s.Stop()
	b.fails(t, exchange.CodeCancelled, true)
	<-seen // the handler's context has ended
}

func TestReal_SlowReadersHoldUpNobody(t *testing.T) {
	c := dialReal(t, Options{ConnWindow: 64 << 10}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 256<<10))
	}))
	var slow []*begun
	for range 8 {
		b := start(c, newExchange("GET", "/"))
		b.answered(t)
		slow = append(slow, b)
	}
	b := start(c, newExchange("GET", "/"))
	if text, err := readAll(b.answered(t).Body); len(text) != 256<<10 || err != nil {
		t.Errorf("beside those who do not read, %d bytes come (%v), want all", len(text), err)
	}
	if text, err := readAll(slow[0].s.Response.Body); len(text) != 256<<10 || err != nil {
		t.Errorf("who reads later gets %d bytes (%v), want all", len(text), err)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	c := dialReal(b, Options{Response: time.Minute, Read: time.Minute, Write: time.Minute}, http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	for _, at := range []int{1, 16} {
		b.Run(fmt.Sprintf("at once %d", at), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(at)
			b.RunParallel(func(pb *testing.PB) {
				var s Stream
				x := newExchange("GET", "/path", "User-Agent", "bench", "Accept", "*/*")
				for pb.Next() {
					if f := c.RoundTrip(x, &s); f != nil {
						b.Error(f)
						return
					}
					if _, err := readAll(s.Response.Body); err != nil {
						b.Error(err)
					}
					s.Close(x)
				}
			})
		})
	}
}
