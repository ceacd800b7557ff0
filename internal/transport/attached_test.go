package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/http2"
)

// A oneConn is a listener of one connection, which it does not close.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// dialIn attaches a connection to a by which h is served, for that many requests at
// once, and returns it.
func dialIn(t *testing.T, a *Attached, capacity int, h http.Handler) *http2.Conn {
	t.Helper()
	router, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	worker, err := net.Dial("tcp", router.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := router.Accept()
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: capacity}, Protocols: new(http.Protocols)}
	srv.Protocols.SetUnencryptedHTTP2(true)
	l := &oneConn{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- worker
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(l)
	}()
	c, err := http2.NewConn(accepted, http2.Options{
		Response: time.Minute, Read: time.Minute, Write: time.Minute,
		Head: http1.RequestHead{FallbackHost: "worker"},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Add(c)
	t.Cleanup(func() {
		c.Close()
		<-c.Closed()
		close(l.done)
		_ = srv.Close()
		<-served
	})
	return c
}

func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s", name, r.Method, body)
	})
}

// ask makes a whole round trip and returns the content of the response.
func ask(t *testing.T, a *Attached, x *exchange.Exchange) (string, *exchange.Failure) {
	t.Helper()
	c := new(Call)
	if f := a.RoundTrip(x, c); f != nil {
		return "", f
	}
	text := readAll(t, c)
	c.Close(x)
	return text, nil
}

func TestAttached_AnswersOverWhatTheWorkerOpened(t *testing.T) {
	a := new(Attached)
	dialIn(t, a, 10, named("one"))
	x := newExchange("PUT")
	with(x, newPieces("con", "tent"))
	if text, f := ask(t, a, x); f != nil || text != "one PUT content" {
		t.Errorf("the worker's answer is %q, %v", text, f)
	}
	if active, idle := a.Connections(); active != 0 || idle != 1 {
		t.Errorf("%d connections carry requests and %d do not, want 0 and 1", active, idle)
	}
}

func TestAttached_UsesTheConnectionWithMostRoom(t *testing.T) {
	a := new(Attached)
	release := make(chan struct{})
	held := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-release
			_, _ = io.WriteString(w, name)
		})
	}
	dialIn(t, a, 1, held("small"))
	dialIn(t, a, 2, held("large"))
	if n := a.Capacity(); n != 3 {
		t.Fatalf("the worker takes %d requests at once, want 3", n)
	}
	var calls [3]Call
	var xs [3]*exchange.Exchange
	for i := range calls {
		xs[i] = newExchange("GET")
		if f := a.RoundTrip(xs[i], &calls[i]); f != nil {
			t.Fatal(f)
		}
	}
	fourth := newExchange("GET")
	if _, f := ask(t, a, fourth); f == nil || f.Sent || !f.Stale {
		t.Errorf("beyond its capacity a request failed with %+v, want that nothing was sent and nobody is to blame", f)
	}
	close(release)
	names := map[string]int{}
	for i := range calls {
		names[readAll(t, &calls[i])]++
		calls[i].Close(xs[i])
	}
	if names["small"] != 1 || names["large"] != 2 {
		t.Errorf("the connections have served %v, want as many as each takes", names)
	}
}

func TestAttached_IsUnreachableWithoutAConnection(t *testing.T) {
	a := new(Attached)
	c := dialIn(t, a, 1, named("one"))
	if err := a.Probe(context.Background()); err != nil {
		t.Errorf("with a connection: %v", err)
	}
	if left := a.Remove(c); left != 0 {
		t.Errorf("%d connections are left, want none", left)
	}
	if err := a.Probe(context.Background()); !errors.Is(err, errNoConnection) {
		t.Errorf("without a connection: %v", err)
	}
	_, f := ask(t, a, newExchange("POST"))
	wantFailure(t, f, exchange.CodeConnectFailed)
}

func TestAttached_CanBeStopped(t *testing.T) {
	a := new(Attached)
	left := make(chan struct{})
	dialIn(t, a, 10, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			<-r.Context().Done()
			close(left)
		}
	}))
	stop := new(Stop)
	c := &Call{Stop: stop}
	time.AfterFunc(20*time.Millisecond, stop.Stop)
	wantFailure(t, a.RoundTrip(newExchange("GET"), c), exchange.CodeCancelled)
	<-left // the worker has seen it
	c.Stop = nil
	again := newExchange("GET")
	again.Request.Path = []byte("/again")
	if f := a.RoundTrip(again, c); f != nil {
		t.Errorf("the same call cannot be used again: %v", f)
	} else {
		c.Close(again)
	}
}

func TestAttached_ChecksAWorker(t *testing.T) {
	a := new(Attached)
	dialIn(t, a, 10, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/hang":
			<-r.Context().Done()
		case r.URL.Path != "/healthz" || r.Header.Get("Connection") != "":
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := a.Check(context.Background(), Check{Path: "/healthz"}); err != nil {
		t.Errorf("a worker that is well: %v", err)
	}
	if err := a.Check(context.Background(), Check{Path: "/sick"}); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a worker that is not: %v", err)
	}
	if err := a.Check(ctx, Check{Path: "/hang"}); err == nil {
		t.Error("a worker that does not answer is taken to be well")
	}
}

func TestAttached_KeepsClientsOutOfWhatIsBetweenRouterAndWorker(t *testing.T) {
	var a Attached
	c := dialIn(t, &a, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI)
	}))
	var call Call
	f := a.RoundTrip(ownExchange("GET", "/.well-known/weir/worker"), &call)
	if f == nil || f.Code != exchange.CodeNoRoute || f.Sent {
		t.Errorf("a client's request to the worker's own paths ends with %v, want no_route", f)
	}
	status, content, err := Ask(t.Context(), c, "POST", "/.well-known/weir/drain", 1<<10)
	if status != 200 || string(content) != "POST /.well-known/weir/drain" || err != nil {
		t.Errorf("the router's own was answered %d %q (%v)", status, content, err)
	}
	if _, content, err := Ask(t.Context(), c, "GET", "/long", 5); string(content) != "GET /" || err != nil {
		t.Errorf("of a longer answer %q was read (%v), want 5 bytes", content, err)
	}
}
