//go:build real

package real

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/worker"
)

// This file has what the tests of workers have in common. Their names say what
// holds; "checks" in their comments count what the issue of workers lists.

// A router is Weir that knows no endpoint: workers bring what serves.
type router struct {
	*proxy
	door string // where workers attach
}

// startRouter runs a router, with more in its configuration.
func startRouter(t *testing.T, more ...string) *router {
	t.Helper()
	return startRouterAt(t, vacant(t), vacant(t), more...)
}

// startRouterAt runs a router that has its clients and its workers come there.
func startRouterAt(t *testing.T, front, door string, more ...string) *router {
	t.Helper()
	p := startWeir(t, fmt.Sprintf("listeners: [{ address: %q }]\nattach: { address: %q }\n", front, door)+strings.Join(more, "\n"))
	return &router{p, door}
}

// attach runs weir attach in front of a local server, under a name.
func (r *router) attach(t *testing.T, name, local string, more ...string) *process {
	t.Helper()
	return startAttach(t, local, append([]string{"--to", r.door, "--instance", name}, more...)...)
}

// startAttach runs weir attach.
func startAttach(t *testing.T, local string, args ...string) *process {
	t.Helper()
	return start(t, weirBinary, append(append([]string{"attach"}, args...), local)...)
}

// staff attaches workers that answer with their names, and waits for them.
func (r *router) staff(t *testing.T, names ...string) map[string]*process {
	t.Helper()
	return r.staffWith(t, tells, names...)
}

// staffWith attaches a worker for each name, before a handler for that name.
func (r *router) staffWith(t *testing.T, h func(name string) http.HandlerFunc, names ...string) map[string]*process {
	t.Helper()
	before := len(r.workers(t))
	all := map[string]*process{}
	for _, name := range names {
		all[name] = r.attach(t, name, serve(t, h(name)))
	}
	r.awaitWorkers(t, before+len(names))
	return all
}

// tells answers with a name.
func tells(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }
}

// workers returns the names of the workers of service default.
func (r *router) workers(t *testing.T) (names []string) {
	t.Helper()
	resp, err := http.Get("http://" + r.admin + "/v1/services/default")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var service struct{ Endpoints []struct{ Name string } }
	if err := json.NewDecoder(resp.Body).Decode(&service); err != nil {
		t.Fatal(err)
	}
	for _, e := range service.Endpoints {
		names = append(names, e.Name)
	}
	return names
}

// awaitWorkers waits until n workers serve.
func (r *router) awaitWorkers(t *testing.T, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d workers", n), func() bool { return len(r.workers(t)) == n })
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("within %v: no %s", patience, what)
		}
	}
}

// receive returns what comes from a channel.
func receive[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("within %v: no %s", patience, what)
	}
	return v
}

// whole reads an answer to its end; it is written as "200 content".
func whole(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Sprintf("%d %s, broken off: %v", resp.StatusCode, text, err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}

// tally asks for a URL n times, one after the other, and counts the answers.
func tally(client *http.Client, url string, n int) map[string]int {
	answers := map[string]int{}
	for range n {
		answers[whole(client.Get(url))]++
	}
	return answers
}

// wantShares holds that each of these names has given so many of the answers, one
// more or less, and nobody else any.
func wantShares(t *testing.T, answers map[string]int, n int, names ...string) {
	t.Helper()
	rest := maps.Clone(answers)
	for _, name := range names {
		if got := answers["200 "+name]; got < n-1 || got > n+1 {
			t.Errorf("%s has given %d answers, want %d: %v", name, got, n, answers)
		}
		delete(rest, "200 "+name)
	}
	if len(rest) > 0 {
		t.Errorf("there are other answers than those of %v: %v", names, rest)
	}
}

// A counter has requests for /hold wait until all of them may go on. It answers with
// a name.
type counter struct {
	arrived chan string // the names of those where a request waits
	goOn    chan struct{}
}

func newCounter() *counter { return &counter{make(chan string, 1000), make(chan struct{})} }

func (c *counter) of(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client leaves
		if r.URL.Path == "/hold" {
			c.arrived <- name
			select {
			case <-c.goOn:
			case <-r.Context().Done():
				return
			}
		}
		_, _ = io.WriteString(w, name)
	}
}

// work serves as a worker that is written in Go, and waits until it is attached.
func (r *router) work(t *testing.T, h http.HandlerFunc) {
	t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	attached, left := make(chan string, 100), make(chan error, 1)
	go func() {
		left <- worker.Serve(ctx, worker.Options{
			Routers: []string{r.door}, Instance: "go", OnAttached: func(router string) { attached <- router },
		}, h)
	}()
	t.Cleanup(func() {
		leave()
		if err := <-left; err != nil {
			t.Errorf("the worker does not leave well: %v", err)
		}
	})
	receive(t, attached, "connection to the router")
	r.awaitWorkers(t, 1)
}
