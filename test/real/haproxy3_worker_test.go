//go:build real

package real

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A hub is Weir with a door for workers, which are known by their certificates.
type hub struct {
	*proxy
	ca   *authority
	door string // its address
}

const workerName = "worker.example.com"

func startHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{ca: newAuthority(t), door: vacant(t)}
	own := h.ca.issue(t, routerName)
	h.proxy = startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
attach:
  address: %q
  tls: { certificates: [{ cert: %q, key: %q }], client_ca: %q }
  certificates: [{ san: %q, services: [default] }]`, h.door, own.cert, own.key, h.ca.file, workerName))
	return h
}

// dialIn runs HAProxy as a worker that sends requests to a backend. It shows a
// certificate of that name, or none if there is no name.
func (h *hub) dialIn(t *testing.T, name, backend string) *process {
	t.Helper()
	shown := ""
	if name != "" {
		shown = "crt " + h.ca.issue(t, name).bundle(t)
	}
	return startHAProxy3(t, fmt.Sprintf(`
frontend requests
  bind "rhttp@router/weir" nbconn 1
  use_backend app
backend router
  server weir %s ssl %s ca-file %s verify required verifyhost %s alpn h2
backend app
  server app %s
`, h.door, shown, h.ca.file, routerName, strings.TrimPrefix(backend, "http://")))
}

// attachedLine is in the log for each connection of a worker that is let in.
const attachedLine = "a worker attached"

// attached waits until n connections of workers have been let in since the start.
func (h *hub) attached(t *testing.T, n int) {
	t.Helper()
	h.await(t, attachedLine, n)
}

func TestHAProxy3_ServesAsAWorker(t *testing.T) {
	h, client := startHub(t), newHTTPClient(t)
	w := h.dialIn(t, workerName, serve(t, echo))
	awaitOK(t, client, h.url("/"), w)
	carries(t, client, h.url("/"))
}

func TestHAProxy3_CarriesWebSocketsAsAWorker(t *testing.T) {
	h, client := startHub(t), newHTTPClient(t)
	w := h.dialIn(t, workerName, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			echoMessages(w, r)
		}
	}))
	awaitOK(t, client, h.url("/"), w)
	exchangeMessages(t, "ws://"+h.addresses[0]+"/ws", client)
}

// Who is killed answers nothing any more; nobody waits for it longer than for a
// reset, and its successor is found at once.
func TestHAProxy3_KilledWorkerHangsNobody(t *testing.T) {
	h, client := startHub(t), newHTTPClient(t)
	arrived := make(chan struct{}, 8)
	backend := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client leaves
			arrived <- struct{}{}
			<-r.Context().Done()
		}
	})
	w := h.dialIn(t, workerName, backend)
	awaitOK(t, client, h.url("/"), w)
	var all sync.WaitGroup
	for range cap(arrived) {
		all.Go(func() {
			// Not repeatable: this one must fail.
			if said := ending(client.Post(h.url("/hang"), "text/plain", strings.NewReader("x"))); said != "502" {
				t.Errorf("a request whose worker was killed ended with %s, want 502", said)
			}
		})
	}
	for range cap(arrived) {
		select {
		case <-arrived:
		case <-time.After(patience):
			t.Fatalf("a request does not reach the backend within %v", patience)
		}
	}
	w.stop(syscall.SIGKILL)
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("requests still wait %v after their worker was killed", patience)
	}
	w = h.dialIn(t, workerName, backend)
	awaitOK(t, client, h.url("/"), w)
}

// A soft stop hands over to whoever is there: no request is lost, and the process
// ends by itself.
func TestHAProxy3_SoftStopLosesNoRequest(t *testing.T) {
	h, client := startHub(t), newHTTPClient(t)
	backend := serve(t, echo)
	old := h.dialIn(t, workerName, backend)
	h.attached(t, 1)
	throng := gather(t, client, h.url("/"), 8)
	throng.served(t, 200)
	h.dialIn(t, workerName, backend)
	h.attached(t, 2)
	throng.served(t, 200)
	_ = old.cmd.Process.Signal(syscall.SIGUSR1)
	select {
	case <-old.done:
	case <-time.After(patience):
		t.Errorf("HAProxy does not end within %v of a soft stop", patience)
	}
	throng.served(t, 200)
	throng.wantOnlyOK(t)
}

// What is under way during a soft stop is finished, though nobody else is there.
func TestHAProxy3_SoftStopFinishesWhatIsUnderWay(t *testing.T) {
	h, client := startHub(t), newHTTPClient(t)
	backend, arrived, answer := serveSlowly(t)
	w := h.dialIn(t, workerName, backend)
	awaitOK(t, client, h.url("/"), w)
	said := make(chan string, 1)
	go func() { said <- ending(client.Get(h.url("/slow"))) }()
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatalf("the request does not reach the backend within %v", patience)
	}
	_ = w.cmd.Process.Signal(syscall.SIGUSR1)
	w.await(t, "Proxy requests stopped", 1)
	answer()
	if got := <-said; got != "200" {
		t.Errorf("the request that was under way ended with %s, want 200", got)
	}
}

// HAProxy tries again after a second, and is refused again.
func TestHAProxy3_IsRefusedWithAReason(t *testing.T) {
	for title, who := range map[string]struct{ name, reason string }{
		"stranger": {"stranger.example.com", "no name of the certificate is known"},
		"nobody":   {"", "a token or a client certificate is needed"},
	} {
		t.Run(title, func(t *testing.T) {
			h := startHub(t)
			h.dialIn(t, who.name, serve(t, echo))
			for _, line := range h.await(t, "a worker was refused", 2) {
				if !strings.Contains(line, who.reason) {
					t.Errorf("the log does not say %q:\n%s", who.reason, line)
				}
			}
			if said := strings.Join(h.lines(), "\n"); strings.Contains(said, attachedLine) {
				t.Errorf("somebody attached who is not known:\n%s", said)
			}
		})
	}
}
