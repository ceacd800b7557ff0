//go:build real

package real

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Check 3: nobody notices that an idle worker was killed.
func TestWorkers_KilledWhileIdleCostsNothing(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	all := r.staff(t, "a", "b", "c")
	wantShares(t, tally(client, r.url("/"), 9), 3, "a", "b", "c")
	all["b"].stop(syscall.SIGKILL)
	wantShares(t, tally(client, r.url("/"), 100), 50, "a", "c")
}

// Check 3: what a worker had when it was killed is sent to another one if that is
// safe, and is answered with 502 if not. Nothing hangs.
func TestWorkers_KilledInTheMiddleOfARequest(t *testing.T) {
	for method, c := range map[string]struct{ answer, problem string }{
		http.MethodGet:  {answer: "200"},
		http.MethodPost: {answer: "502", problem: `"error":"endpoint_closed"`},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			r, client, desk := startRouter(t), newHTTPClient(t), newCounter()
			all := r.staffWith(t, desk.of, "a", "b")
			answers := make(chan string, 1)
			go func() {
				req, err := http.NewRequest(method, r.url("/hold"), strings.NewReader("content"))
				if err != nil {
					answers <- err.Error()
					return
				}
				answers <- whole(client.Do(req))
			}()
			victim := receive(t, desk.arrived, "request at a worker")
			all[victim].stop(syscall.SIGKILL)
			want := c.answer
			if method == http.MethodGet {
				other := receive(t, desk.arrived, "second try")
				if other == victim {
					t.Errorf("the killed worker %s gets the request again", victim)
				}
				want += " " + other
				close(desk.goOn)
			}
			answer := receive(t, answers, "answer after the worker was killed")
			if !strings.HasPrefix(answer, want) || !strings.Contains(answer, c.problem) {
				t.Errorf("the request was answered with %q, want %s %s", answer, want, c.problem)
			}
			select {
			case name := <-desk.arrived:
				t.Errorf("the request was sent once more, to %s", name)
			default:
			}
		})
	}
}

// Check 11: a worker that is asked to end finishes what it has, gets nothing new, and
// ends well.
func TestWorkers_LeaveWhenAllIsAnswered(t *testing.T) {
	t.Parallel()
	r, client, desk := startRouter(t), newHTTPClient(t), newCounter()
	all := r.staffWith(t, desk.of, "a", "b")
	const requests = 20
	answers := make(chan string, requests)
	for range requests {
		// Not repeatable: each of them is answered by who has it, or not at all.
		go func() { answers <- whole(client.Post(r.url("/hold"), "text/plain", strings.NewReader("content"))) }()
	}
	has := map[string]int{}
	for range requests {
		has["200 "+receive(t, desk.arrived, "request at a worker")]++
	}
	_ = all["a"].cmd.Process.Signal(syscall.SIGTERM)
	r.awaitLeaving(t, client, "b")
	wantShares(t, tally(client, r.url("/"), 20), 20, "b")
	close(desk.goOn)
	for range requests {
		has[receive(t, answers, "answer of a worker that leaves")]--
	}
	for answer, n := range has {
		if n != 0 {
			t.Errorf("%q has come %d times too seldom", answer, n)
		}
	}
	endsCleanly(t, all["a"])
	r.awaitWorkers(t, 1)
}

// awaitLeaving waits until one of two workers alone gets new requests.
func (r *router) awaitLeaving(t *testing.T, client *http.Client, stays string) {
	t.Helper()
	await(t, "requests for "+stays+" alone", func() bool {
		answers := tally(client, r.url("/"), 4)
		for answer := range answers {
			if answer != "200 a" && answer != "200 b" {
				t.Fatalf("while a worker leaves, a request is answered with %q", answer)
			}
		}
		return answers["200 "+stays] == 4
	})
}

// Check 11: a worker that is frozen gets nothing new after a few seconds, and after 30
// s its connection is closed, so that what it had goes elsewhere. Once it moves again
// it serves again.
func TestWorkers_FrozenAreEvicted(t *testing.T) {
	t.Parallel()
	// When its connection is closed more requests are repeated at once than the budget
	// allows by default.
	r, client := startRouter(t, "services: { default: { retry: { budget: 1000%, budget_floor: 1000000 } } }"), newHTTPClient(t)
	all := r.staff(t, "a", "b")
	wantShares(t, tally(client, r.url("/"), 10), 5, "a", "b")
	frozen := all["a"].cmd.Process
	t.Cleanup(func() { _ = frozen.Signal(syscall.SIGCONT) })
	_ = frozen.Signal(syscall.SIGSTOP)
	await(t, "stop of the worker", func() bool { return all["a"].state(t) == "T" })
	began := time.Now()
	stuck := stickTo(t, client, r.url("/"))
	t.Logf("%v after it was frozen it gets nothing new any more, and has %d requests", time.Since(began), stuck.waiting())
	wantShares(t, tally(client, r.url("/"), 100), 100, "b")
	endings := stuck.all()
	took := time.Since(began)
	t.Logf("%v after it was frozen all requests are answered", took)
	if endings["200 b"] != stuck.sent || len(endings) != 1 {
		t.Errorf("%d requests ended with %v, want 200 of the other worker", stuck.sent, endings)
	}
	if took > 30*time.Second+patience {
		t.Errorf("a frozen worker was evicted after %v, want 30s", took)
	}
	r.await(t, "a worker left", 1)
	_ = frozen.Signal(syscall.SIGCONT)
	r.awaitWorkers(t, 2)
	wantShares(t, tally(client, r.url("/"), 10), 5, "a", "b")
}

// state is that of the process, as the kernel calls it: T is stopped.
func (p *process) state(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

// A queue is requests that somebody has or has not answered yet.
type queue struct {
	sent int

	mu      sync.Mutex
	endings map[string]int
	over    sync.WaitGroup
}

// stickTo asks for a URL now and then, without waiting for answers, until for a
// second every request was answered at once. Some of those before never are, as long
// as a worker is frozen.
func stickTo(t *testing.T, client *http.Client, url string) *queue {
	t.Helper()
	q := &queue{endings: map[string]int{}}
	const gap, calm = 50 * time.Millisecond, 20
	unanswered, since := -1, 0
	for late := time.Now().Add(patience); since < calm || unanswered == 0; time.Sleep(gap) {
		if time.Now().After(late) {
			t.Fatalf("after %v requests are still sent to a worker that is frozen: %d of %d wait", patience, q.waiting(), q.sent)
		}
		q.sent++
		q.over.Go(func() {
			said := whole(client.Get(url))
			q.mu.Lock()
			defer q.mu.Unlock()
			q.endings[said]++
		})
		if n := q.waiting(); n > unanswered+1 || unanswered < 0 {
			unanswered, since = n, 0
		} else {
			since++
		}
	}
	return q
}

// waiting is how many are not answered.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.sent
	for _, k := range q.endings {
		n -= k
	}
	return n
}

// all waits for all answers.
func (q *queue) all() map[string]int {
	q.over.Wait()
	return q.endings
}

// Check 9: that a client leaves is seen by the server behind the worker, and by a
// worker that is written in Go.
func TestWorkers_SeeThatTheClientLeaves(t *testing.T) {
	began, gone := make(chan struct{}, 1), make(chan struct{}, 1)
	h := func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/wait" {
			return
		}
		began <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	}
	for _, c := range []struct {
		name   string
		attach func(*testing.T, *router)
	}{
		{"weir attach", func(t *testing.T, r *router) { r.attach(t, "a", serve(t, h)) }},
		{"a worker in Go", func(t *testing.T, r *router) { r.work(t, h) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, client := startRouter(t), newHTTPClient(t)
			c.attach(t, r)
			r.awaitWorkers(t, 1)
			// Who leaves at once could have half-closed only; curl leaves after a second.
			asks := exec.Command("curl", "-s", "--max-time", "1", r.url("/wait"))
			if err := asks.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = asks.Wait() }()
			receive(t, began, "request at the worker")
			receive(t, gone, "end of the request at the worker")
			if got := whole(client.Get(r.url("/"))); got != "200 " {
				t.Errorf("the next request is answered with %q", got)
			}
		})
	}
}

// Check 9: what a worker has sent before it learns that the client has left comes
// late, and harms nobody: neither the router nor the connection.
func TestWorkers_SendLateFramesWithoutHarm(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			_, _ = io.Copy(w, zeros{})
			return
		}
		_, _ = io.WriteString(w, "a")
	}))
	r.awaitWorkers(t, 1)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 10 {
				resp, err := client.Get(r.url("/endless"))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
					t.Errorf("an answer breaks off: %v", err)
				}
				_ = resp.Body.Close() // which closes the connection
			}
		})
	}
	all.Wait()
	wantShares(t, tally(client, r.url("/"), 20), 20, "a")
	await(t, "end of all streams", func() bool { return r.metric(t, "weir_endpoint_in_flight") == 0 })
	if n := strings.Count(strings.Join(r.lines(), "\n"), attachedLine); n != 1 {
		t.Errorf("the worker has attached %d times, want once", n)
	}
}
