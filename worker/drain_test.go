package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/worker"
)

// mirror answers with what it was sent, as it comes, and how much that was.
func mirror(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Bytes")
	n, _ := io.Copy(w, r.Body)
	w.Header().Set("X-Bytes", strconv.FormatInt(n, 10))
}

// A round is requests that several clients send, one after the other, until the
// worker takes no more.
type round struct {
	t        *testing.T
	conn     *http2.Conn
	enough   int           // answers until done is closed
	done     chan struct{} // to be closed
	mu       sync.Mutex
	answered int
}

// run sends requests until one is not sent. Every other end of one is an error.
func (r *round) run(client int) {
	for n := 0; ; n++ {
		a, want := r.send(client, n)
		switch {
		case a.failure != nil && !a.failure.Sent:
			return
		case a.failure != nil:
			r.t.Errorf("request %d.%d was sent, and failed: %v", client, n, a.failure)
			return
		case a.err != nil:
			r.t.Errorf("the answer to request %d.%d broke off after %d bytes of %d: %v", client, n, len(a.body), len(want), a.err)
			return
		case a.status != 200 || a.body != want:
			r.t.Errorf("request %d.%d is answered with %d and %d bytes, not with 200 and %d", client, n, a.status, len(a.body), len(want))
			return
		}
		r.mu.Lock()
		if r.answered++; r.answered == r.enough {
			close(r.done)
		}
		r.mu.Unlock()
	}
}

// send sends a request: without content, with a little, or with much that is
// still coming.
func (r *round) send(client, n int) (a answer, want string) {
	switch (client + n) % 3 {
	case 0:
		return ask(r.conn, "GET", "/"), ""
	case 1:
		x := newExchange("POST", "/")
		x.Request.Body, x.Request.Length = newContent("hello", nil), 5
		return exchangeOver(r.conn, x), "hello"
	default:
		text := strings.Repeat(fmt.Sprintf("%d.%d,", client, n), 6000)
		later := make(chan []byte, 2)
		later <- []byte(text[100:20000])
		later <- []byte(text[20000:])
		close(later)
		x := newExchange("POST", "/")
		x.Request.Body, x.Request.Length = newContent(text[:100], later), int64(len(text))
		return exchangeOver(r.conn, x), text
	}
}

// TestDrain_LosesNoRequest is the promise: while requests are under way and keep
// coming, the worker leaves, and each of them is answered whole or was never sent.
func TestDrain_LosesNoRequest(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	leaveWhileAsked(t, g, worker.Options{Routers: []string{g.address}})
}

func TestDrain_LosesNoRequestOverTLS(t *testing.T) {
	for _, p := range []worker.Protocol{worker.PTTH, worker.RH2, worker.RHTTP} {
		t.Run(p.String(), func(t *testing.T) {
			ca := newAuthority(t)
			g := openGate(t, attach.Options{TLS: ca.server(t)}, tokens)
			leaveWhileAsked(t, g, worker.Options{
				Routers: []string{"https://" + g.address}, Protocol: p, Service: "web", Token: "alpha-token",
				TLS: ca.client(t, map[worker.Protocol]string{worker.RHTTP: "worker.example.com"}[p]),
			})
		})
	}
}

func leaveWhileAsked(t *testing.T, g *gate, o worker.Options) {
	t.Helper()
	w := serve(t, o, http.HandlerFunc(mirror))
	// The moment is another one in each run.
	r := &round{t: t, conn: g.next().Conn, enough: 1 + rand.N(80), done: make(chan struct{})}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() { r.run(i) })
	}
	select {
	case <-r.done:
	case <-time.After(bound):
		t.Fatal("the requests are not answered")
	}
	if err := w.end(); err != nil {
		t.Errorf("Serve returns %v, not nil", err)
	}
	clients.Wait()
	<-r.conn.Closed()
	if err := r.conn.Err(); !errors.Is(err, http2.ErrDrained) {
		t.Errorf("for the router the connection has ended with: %v", err)
	}
}

func TestDrain_WaitsForARequestUnderWay(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	begun, finish := make(chan struct{}), make(chan struct{})
	w := serve(t, worker.Options{Routers: []string{g.address}}, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request's context has ended before the request: %v", err)
		}
		_, _ = io.WriteString(rw, "whole")
	}))
	c := g.next().Conn
	got := make(chan answer, 1)
	go func() { got <- ask(c, "GET", "/") }()
	<-begun
	w.stop()
	for !c.Draining() { // GOAWAY is here
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-w.done:
		t.Fatalf("Serve returns %v while a request is under way", err)
	default:
	}
	close(finish)
	if a := <-got; a.body != "whole" || a.err != nil || a.failure != nil {
		t.Errorf("the request is answered with %+v", a)
	}
	if err := w.wait(); err != nil {
		t.Errorf("Serve returns %v, not nil", err)
	}
}

func TestDrain_CutsWhatTakesTooLong(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	begun := make(chan struct{})
	w := serve(t, worker.Options{Routers: []string{g.address}, ShutdownTimeout: 50 * time.Millisecond}, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(rw).Flush()
		close(begun)
		<-r.Context().Done()
	}))
	c := g.next().Conn
	got := make(chan answer, 1)
	go func() { got <- ask(c, "GET", "/") }()
	<-begun
	if err := w.end(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 request") {
		t.Errorf("Serve returns %v, not that 1 request was cut", err)
	}
	if a := <-got; a.err == nil && a.failure == nil {
		t.Errorf("a request that was cut looks answered: %+v", a)
	}
}
