package worker_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/internal/transport"
	"github.com/weirproxy/weir/worker"
)

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// askToMove is what a router does that wants to be left.
func askToMove(t *testing.T, c *http2.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if status, _, err := transport.Ask(ctx, c, http.MethodPost, attach.DrainPath, 0); status != http.StatusNoContent || err != nil {
		t.Fatalf("the request to move is answered with %d (%v), not with 204", status, err)
	}
}

func TestMove_MakesBeforeItBreaks(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	finish := make(chan struct{})
	serve(t, worker.Options{Routers: []string{g.address}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-finish
		}
		hello(w, r)
	}))
	old := g.next().Conn
	slow := make(chan answer, 1)
	go func() { slow <- ask(old, "GET", "/slow") }()
	for old.InFlight() == 0 {
		time.Sleep(time.Millisecond)
	}
	askToMove(t, old)
	fresh := g.next().Conn
	expect(t, fresh, "GET", "/", "GET / ")
	for !old.Draining() {
		time.Sleep(time.Millisecond)
	}
	close(finish)
	if a := <-slow; a.body != "GET /slow " || a.err != nil || a.failure != nil {
		t.Errorf("the request on the connection that is left is answered with %+v", a)
	}
	<-old.Closed()
	if err := old.Err(); !errors.Is(err, http2.ErrDrained) {
		t.Errorf("the connection that is left has ended with: %v", err)
	}
	expect(t, fresh, "GET", "/", "GET / ")
}
