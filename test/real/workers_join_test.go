//go:build real

package real

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Check 1: the order in which workers and their router start is free.
func TestWorkers_StartOrderIsFree(t *testing.T) {
	for name, early := range map[string]int{"two of three before the router": 2, "the router first": 0, "the router last": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &router{door: vacant(t)}
			front := vacant(t)
			names := []string{"a", "b", "c"}
			for _, name := range names[:early] {
				// It says so when there is no router yet, and does not end.
				r.attach(t, name, serve(t, tells(name))).await(t, "cannot attach to "+r.door, 1)
			}
			r = startRouterAt(t, front, r.door)
			for _, name := range names[early:] {
				r.attach(t, name, serve(t, tells(name)))
			}
			r.awaitWorkers(t, len(names))
			var answers []string
			for range 2 * len(names) {
				answers = append(answers, curl(t, r.url("/")))
			}
			turn := slices.Clone(answers[:len(names)])
			slices.Sort(turn)
			if !slices.Equal(turn, names) || !slices.Equal(answers[:len(names)], answers[len(names):]) {
				t.Errorf("curl is answered by %v, want each of %v in turn", answers, names)
			}
		})
	}
}

// Check 2: a worker serves within a second of its start, and the router is neither
// reloaded nor started again for that. A machine that is busy has five.
func TestWorkers_JoinWithoutAReload(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	for i := range 3 {
		name := fmt.Sprint("worker", i)
		local := serve(t, tells(name))
		began := time.Now()
		r.attach(t, name, local)
		await(t, "answer of "+name, func() bool { return whole(client.Get(r.url("/"))) == "200 "+name })
		took := time.Since(began)
		t.Logf("%s serves %v after its start", name, took)
		if took > 5*time.Second {
			t.Errorf("%s serves %v after its start, want 1s", name, took)
		}
	}
	if said := strings.Join(r.lines(), "\n"); strings.Contains(said, "reload") {
		t.Errorf("the router was reloaded:\n%s", said)
	}
	select {
	case <-r.done:
		t.Error("the router has ended")
	default:
	}
}

// Check 4: workers that come take their share at once.
func TestWorkers_ShareEvenlyWithThoseWhoCome(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	names := []string{"a", "b"}
	r.staff(t, names...)
	wantShares(t, tally(client, r.url("/"), 20), 10, names...)
	more := []string{"c", "d", "e", "f", "g"}
	r.staff(t, more...)
	wantShares(t, tally(client, r.url("/"), 70), 10, append(names, more...)...)
}

// Check 8: without a worker a request waits as long as it may, and is then told when
// to come again; one that comes meanwhile serves it.
func TestWorkers_AreWaitedFor(t *testing.T) {
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		r := startRouter(t, "services: { default: { queue: { timeout: 1s } } }")
		began := time.Now()
		wantCurl(t, []string{"-i", r.url("/")}, "HTTP/1.1 503 Service Unavailable", "Retry-After: 1", "Content-Type: application/problem+json")
		if took := time.Since(began); took < time.Second {
			t.Errorf("a request waited %v only, want 1s", took)
		}
		if got := curl(t, r.url("/")); !strings.Contains(got, `"error":"queue_timeout"`) {
			t.Errorf("the answer is %s, want queue_timeout", got)
		}
	})
	t.Run("with success", func(t *testing.T) {
		t.Parallel()
		r, client := startRouter(t, "services: { default: { queue: { timeout: 1m } } }"), newHTTPClient(t)
		answers := make(chan string, 2)
		go func() { answers <- whole(client.Get(r.url("/"))) }()
		go func() { answers <- whole(client.Post(r.url("/"), "text/plain", strings.NewReader("content"))) }()
		await(t, "two requests that wait", func() bool { return r.metric(t, "weir_queue_waiting") == 2 })
		r.attach(t, "late", serve(t, tells("late")))
		for range 2 {
			if got := receive(t, answers, "answer"); got != "200 late" {
				t.Errorf("a request that waited was answered with %q, want that of the worker", got)
			}
		}
	})
}

// A worker with several routers is attached to all of them; and that one of them is
// not there keeps it from nothing.
func TestWorkers_AttachToEveryRouterThatIsThere(t *testing.T) {
	t.Parallel()
	one, absent, client := startRouter(t), vacant(t), newHTTPClient(t)
	w := startAttach(t, serve(t, tells("shared")), "--to", absent, "--to", one.door, "--instance", "shared")
	one.awaitWorkers(t, 1)
	w.await(t, "cannot attach to "+absent, 1)
	if got := whole(client.Get(one.url("/"))); got != "200 shared" {
		t.Errorf("the router that is there answers %q", got)
	}
	two := startRouterAt(t, vacant(t), absent)
	two.awaitWorkers(t, 1)
	for _, r := range []*router{one, two} {
		if got := whole(client.Get(r.url("/"))); got != "200 shared" {
			t.Errorf("a router answers %q, want that both have the worker", got)
		}
	}
}

// Check 7: every worker serves every router. One that is killed costs the others
// nothing, and has all workers again once it is back.
func TestWorkers_ServeSeveralRouters(t *testing.T) {
	t.Parallel()
	client := newHTTPClient(t)
	routers := make([]*router, 3)
	var to []string
	for i := range routers {
		routers[i] = startRouter(t)
		to = append(to, "--to", routers[i].door)
	}
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		startAttach(t, serve(t, tells(name)), append(to, "--instance", name)...)
	}
	for _, r := range routers {
		r.awaitWorkers(t, len(names))
		wantShares(t, tally(client, r.url("/"), 20), 5, names...)
	}
	var throngs []*throng
	for _, r := range []*router{routers[0], routers[2]} {
		throngs = append(throngs, gather(t, newHTTPClient(t), r.url("/"), 2))
	}
	killed := routers[1]
	killed.process.stop(syscall.SIGKILL)
	for _, c := range throngs {
		c.served(t, 100)
	}
	killed = startRouterAt(t, killed.addresses[0], killed.door)
	killed.awaitWorkers(t, len(names))
	for _, c := range throngs {
		c.served(t, 100)
		c.wantOnlyOK(t)
	}
	for _, r := range []*router{routers[0], killed, routers[2]} {
		wantShares(t, tally(newHTTPClient(t), r.url("/"), 20), 5, names...)
	}
}

// Check 13: each request has an id that no other has, later ones greater ones; the
// worker gets it, and it is in the log.
func TestWorkers_GetTheIDsThatAreLogged(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t, "access_log: { path: stdout, format: json }"), newHTTPClient(t)
	r.staffWith(t, func(string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%q", r.Header["X-Request-Id"])
		}
	}, "a", "b")
	last := ""
	var ids []string
	for range 50 {
		answer := whole(client.Get(r.url("/")))
		id, ok := strings.CutPrefix(answer, `200 ["`)
		if id = strings.TrimSuffix(id, `"]`); !ok || id <= last {
			t.Fatalf("after id %q a worker got %s, want one that is greater", last, answer)
		}
		last = id
		ids = append(ids, id)
	}
	logged := strings.Join(r.await(t, `"event_id":"`, len(ids)), "\n")
	for _, id := range ids {
		if n := strings.Count(logged, `"event_id":"`+id+`"`); n != 1 {
			t.Errorf("id %s is in the log %d times, want once", id, n)
		}
	}
}
