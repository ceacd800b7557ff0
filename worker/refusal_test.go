package worker_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/worker"
)

// A journal is a log that can be read while it is written.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestRefusal_SaysWhatTheRouterDoes(t *testing.T) {
	ca := newAuthority(t)
	g := openGate(t, attach.Options{TLS: ca.server(t)}, tokens)
	for _, c := range []struct {
		token, service string
		status         int
		code, detail   string
	}{
		{"beta-token", "web", 401, "unauthorized", "the token is not known"},
		{"", "web", 401, "unauthorized", "a token or a client certificate is needed"},
		{"alpha-token", "shop", 403, "service_forbidden", "tokens[0] may not serve shop"},
	} {
		var log journal
		refused := make(chan *worker.Refusal, 16)
		w := serve(t, worker.Options{
			Routers: []string{"https://" + g.address}, Service: c.service, Token: c.token, TLS: ca.client(t, ""),
			OnRefused: func(_ string, r *worker.Refusal) { refused <- r }, Log: log.logger(),
		}, http.HandlerFunc(hello))
		if r := <-refused; r.Status != c.status || r.Code != c.code || r.Detail != c.detail {
			t.Errorf("the refusal is %+v, not %+v", r, c)
		}
		if err := w.end(); err != nil {
			t.Errorf("Serve returns %v, not nil", err)
		}
		if text := log.String(); !strings.Contains(text, c.code) || !strings.Contains(text, c.detail) {
			t.Errorf("the log does not have the reason: %s", text)
		} else if c.token != "" && strings.Contains(text, c.token) {
			t.Errorf("the log has the token: %s", text)
		}
	}
}

func TestRefusal_OverRH2IsTold(t *testing.T) {
	ca := newAuthority(t)
	g := openGate(t, attach.Options{TLS: ca.server(t)}, tokens)
	refused := make(chan *worker.Refusal, 16)
	serve(t, worker.Options{
		Routers: []string{"https://" + g.address}, Service: "web", Token: "beta-token", TLS: ca.client(t, ""), Protocol: worker.RH2,
		OnRefused:  func(_ string, r *worker.Refusal) { refused <- r },
		OnAttached: func(string) { t.Error("a worker that is refused takes itself for attached") },
	}, http.HandlerFunc(hello))
	if r := <-refused; r.Error() != "the router refuses this worker: it has closed the connection when it was told who this is; its log says why" {
		t.Errorf("the refusal reads %q", r)
	}
}

func TestRefusal_IsTriedAgain(t *testing.T) {
	var full sync.Mutex
	left := 3
	g := openGate(t, attach.Options{Admit: func(attach.Identity) *attach.Refusal {
		full.Lock()
		defer full.Unlock()
		if left--; left >= 0 {
			return attach.InstanceConflict("not yet")
		}
		return nil
	}}, anonymous)
	var refusals []string
	serve(t, worker.Options{
		Routers: []string{g.address}, OnRefused: func(router string, r *worker.Refusal) { refusals = append(refusals, router+": "+r.Error()) },
	}, http.HandlerFunc(hello))
	expect(t, g.next().Conn, "GET", "/", "GET / ")
	want := g.address + ": the router refuses this worker: 409 Conflict: instance_conflict: not yet"
	if len(refusals) != 3 || refusals[0] != want {
		t.Errorf("before the worker is attached the refusals are %q, not three times %q", refusals, want)
	}
}

func TestServe_AttachesAgainWhenTheRouterIsBack(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	serve(t, worker.Options{Routers: []string{g.address}}, http.HandlerFunc(hello))
	first := g.next()
	_ = first.net.Close() // without a word
	second := g.next()
	expect(t, second.Conn, "GET", "/", "GET / ")
	if first.identity.Instance != second.identity.Instance {
		t.Errorf("the worker comes back as %s, and was %s", second.identity.Instance, first.identity.Instance)
	}
}

func TestServe_NeedsNoRouterToBegin(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	address := l.Addr().String()
	_ = l.Close()
	var log journal
	serve(t, worker.Options{Routers: []string{address}, Log: log.logger()}, http.HandlerFunc(hello))
	for !strings.Contains(log.String(), "cannot attach") {
		time.Sleep(time.Millisecond)
	}
	g := openGateOn(t, listen(t, address), attach.Options{}, anonymous)
	expect(t, g.next().Conn, "GET", "/", "GET / ")
}
