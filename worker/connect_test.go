package worker_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/worker"
)

// tunnel answers an extended CONNECT with what it is sent.
func tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || r.Header.Get(":protocol") != "websocket" {
		http.Error(w, "not a WebSocket: "+r.Method, http.StatusTeapot)
		return
	}
	w.Header().Set("X-Target", r.RequestURI+" "+r.URL.Path+" "+r.URL.RawQuery+" "+r.Host)
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	for buf := make([]byte, 1024); ; {
		n, err := r.Body.Read(buf)
		_, _ = w.Write(buf[:n])
		_ = http.NewResponseController(w).Flush()
		if err != nil {
			return
		}
	}
}

func TestConnect_CarriesAWebSocketBothWays(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	serve(t, worker.Options{Routers: []string{g.address}}, http.HandlerFunc(tunnel))
	c := g.next().Conn
	x := newExchange("GET", "/chat", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13")
	x.Request.Upgrade = []byte("websocket")
	x.Request.Query, x.Request.HasQuery = []byte("room=1"), true
	x.TunnelTimeout = bound
	var s http2.Stream
	if f := c.RoundTrip(x, &s); f != nil {
		t.Fatalf("the worker does not open a tunnel: %v", f)
	}
	defer s.Close(x)
	if s.Response.Status != 101 || s.Response.Tunnel == nil {
		t.Fatalf("the tunnel is answered with %d", s.Response.Status)
	}
	if target, _ := s.Response.Header.Lookup("x-target"); string(target) != "/chat?room=1 /chat room=1 example.org" {
		t.Errorf("the handler sees the target %q", target)
	}
	for _, text := range []string{"one", "two"} {
		if _, err := io.WriteString(s.Response.Tunnel, text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(s.Response.Tunnel, got); err != nil || string(got) != text {
			t.Fatalf("of %q comes back %q (%v)", text, got, err)
		}
	}
	if err := s.Response.Tunnel.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(s.Response.Tunnel); err != nil || len(rest) > 0 {
		t.Errorf("after the half-close comes %q (%v), not the end", rest, err)
	}
}

func TestConnect_IsNotPretendedByFields(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	serve(t, worker.Options{Routers: []string{g.address}}, http.HandlerFunc(tunnel))
	a := ask(g.next().Conn, "GET", "/", "Weir-Extended-Connect", "websocket")
	if a.status != http.StatusTeapot || a.body != "not a WebSocket: GET\n" {
		t.Errorf("a GET with the field is answered with %d %q", a.status, a.body)
	}
}
