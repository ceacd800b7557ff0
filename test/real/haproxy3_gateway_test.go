//go:build real

package real

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A gateway is HAProxy, which workers dial in to.
type gateway struct {
	*process
	ca            *authority
	cert          string // with its key
	tunnel, front string // its addresses for workers and clients
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{ca: newAuthority(t), tunnel: vacant(t), front: vacant(t)}
	host, _, _ := net.SplitHostPort(g.tunnel)
	g.cert = g.ca.issue(t, routerName, host).bundle(t)
	return g
}

// open runs it. It needs to be told how many requests a worker takes: what is
// beyond the worker's own limit it does not queue, but fails.
func (g *gateway) open(t *testing.T, concurrency int) {
	t.Helper()
	g.process = startHAProxy3(t, fmt.Sprintf(`
frontend clients
  bind %s
  use_backend workers
frontend tunnel
  bind %s ssl crt %s ca-file %s verify required alpn h2
  tcp-request session attach-srv workers/dev
backend workers
  http-reuse always
  retry-on all-retryable-errors
  server dev rhttp@ pool-purge-delay 1h maxconn %d
`, g.front, g.tunnel, g.cert, g.ca.file, concurrency))
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", g.front)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the gateway does not listen: %v", err)
		}
	}
}

func (g *gateway) url(path string) string { return "http://" + g.front + path }

// attach runs weir attach as a worker in front of a local server.
func (g *gateway) attach(t *testing.T, concurrency int, local string) *process {
	t.Helper()
	own := g.ca.issue(t, workerName)
	return start(t, weirBinary, "attach", "--protocol", "rhttp", "--to", "https://"+g.tunnel,
		"--ca", g.ca.file, "--cert", own.cert, "--key", own.key, "--concurrency", fmt.Sprint(concurrency), local)
}

// A turnstile counts who comes to a handler, and who is inside at a time.
type turnstile struct{ all, now, most atomic.Int32 }

func (s *turnstile) counts(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.all.Add(1)
		n := s.now.Add(1)
		defer s.now.Add(-1)
		for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
		}
		h(w, r)
	}
}

func TestAttach_ServesAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 8)
	var inside turnstile
	w := g.attach(t, 8, serve(t, inside.counts(echo)))
	awaitOK(t, client, g.url("/"), w)
	carries(t, client, g.url("/"))
	if most := inside.most.Load(); most > 8 {
		t.Errorf("the local server had %d requests at once, want 8 at most", most)
	}
}

func TestAttach_CarriesWebSocketsOfAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 8)
	w := g.attach(t, 8, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			echoMessages(w, r)
		}
	}))
	awaitOK(t, client, g.url("/"), w)
	exchangeMessages(t, "ws://"+g.front+"/ws", client)
}

// HAProxy holds back a small answer for 200 ms if its stream ends with a frame of
// its own, which so depends on how the frames arrive: some requests are late then,
// a fifth or more. A machine that is busy may delay some as well, but hardly so in
// three rounds.
func TestAttach_IsNotHeldBackByAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 8)
	w := g.attach(t, 8, serve(t, echo))
	awaitOK(t, client, g.url("/"), w)
	const requests, few = 40, 2
	var late []int
	for range 3 {
		n := 0
		for range requests {
			began := time.Now()
			if said := ending(client.Post(g.url("/"), "text/plain", strings.NewReader("content"))); said != "200" {
				t.Fatalf("a request ended with %s, want 200", said)
			}
			if time.Since(began) >= 150*time.Millisecond {
				n++
			}
		}
		if n <= few {
			return
		}
		late = append(late, n)
	}
	t.Errorf("of %d small answers each, %v were held back", requests, late)
}

// A worker that is told to stop hands over to another: what has reached a worker is
// answered, once, and the process ends by itself, with 0.
//
// One request may get a 503 of HAProxy's own: it chooses the connection that is
// being left, finds no room on it, and looks for no other. No worker sees that
// request, and there is nothing that a worker could do for it.
func TestAttach_DrainsFromAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 16)
	var inside turnstile
	local := serve(t, inside.counts(echo))
	old := g.attach(t, 8, local)
	awaitOK(t, client, g.url("/"), old)
	before := inside.all.Load()
	throng := gather(t, client, g.url("/"), 8)
	throng.served(t, 200)
	next := g.attach(t, 8, local)
	next.await(t, "attached", 1)
	throng.served(t, 200)
	_ = old.cmd.Process.Signal(syscall.SIGTERM)
	endsCleanly(t, old)
	throng.served(t, 200)
	endings := throng.dismiss()
	if seen := int(inside.all.Load() - before); seen != endings["200"] {
		t.Errorf("the local server has seen %d requests, and %d were answered with 200: some were lost, or sent twice", seen, endings["200"])
	}
	if endings["503"] <= 1 {
		delete(endings, "503")
	}
	if len(endings) != 1 {
		t.Errorf("the requests ended with %v, want nothing but 200 and at most one 503", endings)
	}
}

// endsCleanly waits until a program ends by itself, with 0.
func endsCleanly(t *testing.T, p *process) {
	t.Helper()
	select {
	case <-p.done:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("%s ended with %d, want 0", p.cmd.Path, code)
		}
	case <-time.After(patience):
		t.Errorf("%s does not end within %v", p.cmd.Path, patience)
	}
}

func TestAttach_FinishesWhatIsUnderWayForAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 8)
	local, arrived, answer := serveSlowly(t)
	w := g.attach(t, 8, local)
	awaitOK(t, client, g.url("/"), w)
	said := make(chan string, 1)
	go func() { said <- ending(client.Get(g.url("/slow"))) }()
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatalf("the request does not reach the local server within %v", patience)
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	// Nobody is let in any more: only then is the answer given.
	for late := time.Now().Add(patience); ending(client.Get(g.url("/"))) == "200"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("requests are still answered %v after SIGTERM", patience)
		}
	}
	answer()
	if got := <-said; got != "200" {
		t.Errorf("the request that was under way ended with %s, want 200", got)
	}
	endsCleanly(t, w)
}

func TestAttach_ComesBackToAHAProxyGateway(t *testing.T) {
	g, client := newGateway(t), newHTTPClient(t)
	g.open(t, 8)
	w := g.attach(t, 8, serve(t, echo))
	awaitOK(t, client, g.url("/"), w)
	g.stop(syscall.SIGKILL)
	g.open(t, 8)
	awaitOK(t, client, g.url("/"), w)
}
