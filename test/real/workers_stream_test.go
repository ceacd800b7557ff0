//go:build real

package real

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Check 5: each part of an answer reaches the client before the next one is made; so
// do server-sent events.
func TestWorkers_StreamAnswers(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	client.Timeout = patience
	const events = 5
	received := make(chan struct{}, events)
	r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range events {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-received:
			case <-r.Context().Done():
				return
			}
		}
	}))
	resp, err := client.Get(r.url("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type is %q", got)
	}
	in := bufio.NewReader(resp.Body)
	for i := range events {
		want := fmt.Sprintf("data: %d\n\n", i)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != want {
			t.Fatalf("event %d is %q, %v", i, got, err)
		}
		received <- struct{}{}
	}
	if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
		t.Errorf("behind the last event comes %q, %v", rest, err)
	}
}

// Check 5: the server sees the first part of a request before the client sends the
// last; and the answer can begin meanwhile.
func TestWorkers_StreamRequests(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	client.Timeout = patience
	seen := make(chan string, 10)
	r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			seen <- line
		}
		_, _ = io.WriteString(w, "all of it")
	}))
	from, to := io.Pipe()
	answers := make(chan string, 1)
	go func() { answers <- whole(client.Post(r.url("/"), "text/plain", from)) }()
	for i := range 5 {
		line := fmt.Sprintf("part %d\n", i)
		if _, err := io.WriteString(to, line); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, seen, "part of a request at the server"); got != line {
			t.Fatalf("the server sees %q, want %q", got, line)
		}
	}
	_ = to.Close()
	if got := receive(t, answers, "answer"); got != "200 all of it" {
		t.Errorf("the request is answered with %q", got)
	}
}

// How much is moved past somebody who is slow, and how much of it may have left the
// other side while it waits: what the sockets between them hold, and little more.
const (
	plenty   = 200 << 20
	onItsWay = 64 << 20
)

// Check 5: flow control. Who does not read stops who sends, whichever side it is; and
// the memory between them does not grow.
func TestWorkers_HoldBackWhoIsFasterThanTheOther(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	var made atomic.Int64 // of the present body
	paused, goOn := make(chan struct{}, 1), make(chan struct{}, 1)
	w := r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.ParseInt(r.URL.RawQuery, 10, 64)
		if r.Method == http.MethodGet {
			_, _ = io.Copy(w, io.LimitReader(&counting{&made}, size))
			return
		}
		n, err := io.CopyN(io.Discard, r.Body, 1<<20)
		paused <- struct{}{}
		select {
		case <-goOn:
		case <-r.Context().Done():
		}
		rest, err2 := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n+rest, err, err2)
	}))
	r.awaitWorkers(t, 1)
	t.Run("a client that reads slowly", func(t *testing.T) {
		wantFlat(t, r, w, func(size int64) {
			made.Store(0)
			resp, err := client.Get(r.url(fmt.Sprint("/?", size)))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			n, err := io.CopyN(io.Discard, resp.Body, min(size, 1<<20))
			if err != nil {
				t.Fatalf("the answer ends after %d bytes: %v", n, err)
			}
			wantHeldBack(t, &made, size)
			rest, err := io.Copy(io.Discard, resp.Body)
			if n+rest != size || err != nil {
				t.Errorf("%d bytes of %d come, %v", n+rest, size, err)
			}
		})
	})
	t.Run("a server that reads slowly", func(t *testing.T) {
		wantFlat(t, r, w, func(size int64) {
			made.Store(0)
			answers := make(chan string, 1)
			go func() {
				answers <- whole(client.Post(r.url("/"), "application/octet-stream", io.LimitReader(&counting{&made}, size)))
			}()
			receive(t, paused, "first bytes at the server")
			wantHeldBack(t, &made, size)
			goOn <- struct{}{}
			if got, want := receive(t, answers, "answer"), fmt.Sprintf("200 %d <nil> <nil>", size); got != want {
				t.Errorf("the server got %q, want %q", got, want)
			}
		})
	})
}

// counting is zeros, and how many were taken.
type counting struct{ taken *atomic.Int64 }

func (c *counting) Read(p []byte) (int, error) {
	clear(p)
	c.taken.Add(int64(len(p)))
	return len(p), nil
}

// wantFlat holds that moving plenty costs neither the router nor its worker memory.
func wantFlat(t *testing.T, r *router, w *process, move func(size int64)) {
	t.Helper()
	move(1 << 20) // the first of a kind brings in what any of them needs
	both := map[string]*proxy{"the router": r.proxy, "weir attach": {process: w}}
	before := map[string]int{}
	for name, p := range both {
		before[name] = p.memory(t, "VmHWM")
	}
	move(plenty)
	for name, p := range both {
		grown := p.memory(t, "VmHWM") - before[name]
		t.Logf("%d MiB: peak memory of %s grew by %d KiB, to %d KiB", plenty>>20, name, grown, before[name]+grown)
		if grown > flat {
			t.Errorf("peak memory of %s grew by %d KiB", name, grown)
		}
	}
}

// wantHeldBack waits until no more bytes are taken, and holds that these were few.
func wantHeldBack(t *testing.T, taken *atomic.Int64, size int64) {
	t.Helper()
	const calm = 30
	last, since := int64(-1), 0
	for late := time.Now().Add(patience); since < calm && last < size; time.Sleep(10 * time.Millisecond) {
		if n := taken.Load(); n != last {
			last, since = n, 0
		} else {
			since++
		}
		if time.Now().After(late) {
			t.Fatalf("bytes are still taken after %v: %d", patience, last)
		}
	}
	if last > onItsWay {
		t.Errorf("%d bytes were taken though nobody reads them, want at most %d", last, onItsWay)
	}
}

// Check 6: many requests at a time take one connection, and the answers, whatever
// order they are made in, are those of their requests.
func TestWorkers_TakeManyRequestsOnOneConnection(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	const requests = 100 // as many as a worker takes by default
	order := mathrand.Perm(requests)
	turns := make([]chan struct{}, requests+1)
	for i := range turns {
		turns[i] = make(chan struct{})
	}
	var arrived atomic.Int32
	all := make(chan struct{})
	r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		n := int(arrived.Add(1)) - 1
		if n == requests-1 {
			close(all)
		}
		select {
		case <-turns[order[n]]: // whoever came first is answered at any time
		case <-r.Context().Done():
			return
		}
		_, _ = fmt.Fprintf(w, "%s %v ", r.URL.Path, err)
		_, _ = w.Write(body)
		close(turns[order[n]+1])
	}))
	r.awaitWorkers(t, 1)
	var asked sync.WaitGroup
	for i := range requests {
		asked.Go(func() {
			body := make([]byte, 1+mathrand.IntN(20_000))
			_, _ = rand.Read(body)
			path := fmt.Sprint("/", i)
			got := whole(client.Post(r.url(path), "application/octet-stream", bytes.NewReader(body)))
			if want := fmt.Sprintf("200 %s <nil> %s", path, body); got != want {
				t.Errorf("request %d is answered with another's content, or with %.100q", i, got)
			}
		})
	}
	receive(t, all, fmt.Sprintf("%d requests at a time at the worker", requests))
	if n := r.connections(t); n != 1 {
		t.Errorf("%d requests at a time take %d connections, want 1", requests, n)
	}
	close(turns[0])
	asked.Wait()
	if n := r.connections(t); n != 1 {
		t.Errorf("after %d requests there are %d connections, want 1", requests, n)
	}
}

// connections counts those that the kernel has open from workers to the router.
func (r *router) connections(t *testing.T) int {
	t.Helper()
	return strings.Count(output(t, "ss", "-tnH", "state", "established", "dst "+r.door), "\n")
}

// Check 10: a request has its own content, and nothing of that of the one before,
// whether that was read or not.
func TestWorkers_KeepRequestsApart(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	r.attach(t, "a", serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/unread" {
			_, _ = io.WriteString(w, "enough")
			return
		}
		echo(w, r)
	}))
	r.awaitWorkers(t, 1)
	large := strings.Repeat("A", 300_000)
	for _, c := range []struct{ path, body, want string }{
		{"/", "A", "200 A"},
		{"/", "B", "200 B"},
		{"/", large, "200 " + large},
		{"/", "B", "200 B"},
		{"/unread", large, "200 enough"},
		{"/", "B", "200 B"},
		{"/", "", "200 "},
	} {
		if got := whole(client.Post(r.url(c.path), "text/plain", strings.NewReader(c.body))); got != c.want {
			t.Errorf("%d bytes to %s are answered with %.40q, %d bytes; want %.40q", len(c.body), c.path, got, len(got), c.want)
		}
	}
	if n := strings.Count(strings.Join(r.lines(), "\n"), attachedLine); n != 1 {
		t.Errorf("the worker has attached %d times, want once", n)
	}
}
