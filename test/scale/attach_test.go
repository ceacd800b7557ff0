//go:build unix

package scale

import (
	"fmt"
	"testing"
	"time"
)

func TestManyWorkers_AreAttachedAndShareTheRequests(t *testing.T) {
	n := affordable(t, size(2000, 500, 100), 1)
	r := startRouter(t)
	leaveAll(attachAll(t, r.attach, 20)) // what any number of them needs
	r.awaitEndpoints(t, 0)
	before := r.collected(t)

	began := time.Now()
	workers := attachAll(t, r.attach, n)
	attached := time.Since(began)
	r.awaitEndpoints(t, n)
	u := r.usage(t).minus(before)
	t.Logf("%d workers attached within %v, for %v of the router's processor time", n, attached.Round(time.Millisecond), u.CPU.Round(time.Millisecond))
	requests := newLedger()
	send(requests, "http://"+r.clients+"/", 10*n, 32)
	requests.check(t)
	for _, w := range workers {
		if got := w.served.Load(); got < 9 || got > 11 || requests.byName[w.name] != got {
			t.Errorf("worker %s of %d served %d of %d requests, and clients were answered by it %d times", w.name, n, got, 10*n, requests.byName[w.name])
		}
	}
}

// An idle worker costs its router a descriptor, two goroutines and little memory.
func TestIdleWorkers_TakeLittle(t *testing.T) {
	n := affordable(t, size(2000, 300, 100), 1)
	r := startRouter(t)
	leaveAll(attachAll(t, r.attach, 20))
	r.awaitEndpoints(t, 0)
	before := r.collected(t)
	attachAll(t, r.attach, n)
	r.awaitEndpoints(t, n)
	before.Goroutines++ // the connection over which the last question came
	u := r.await(t, func(u usage) bool { return u.minus(before).Goroutines <= 2*n+20 })
	idle := u.minus(before)
	t.Logf("%d idle workers, each: %.1f KiB resident, %.1f KiB heap, %.1f KiB stack, %.2f goroutines, %.2f descriptors", n,
		kib(idle.Resident, n), kib(idle.Heap, n), kib(idle.Stack, n), float64(idle.Goroutines)/float64(n), float64(idle.Descriptors)/float64(n))
	if idle.Goroutines > 2*n+20 || idle.Descriptors > n+20 {
		t.Errorf("%d workers take %d goroutines and %d descriptors", n, idle.Goroutines, idle.Descriptors)
	}
	if each := kib(idle.Heap+idle.Stack, n); each > mostMemory {
		t.Errorf("each worker takes %.1f KiB of heap and stack", each)
	}
	if long() {
		const watched = 30 * time.Second
		time.Sleep(watched)
		cpu := r.usage(t).minus(u).CPU
		t.Logf("%d idle workers take %v of processor time a second", n, (cpu / (watched / time.Second)).Round(10*time.Microsecond))
		for _, path := range []string{"/metrics", "/v1/services", "/"} {
			text, took := r.fetch(t, path)
			t.Logf("%s with %d workers: %d KiB in %v", path, n, len(text)>>10, took.Round(time.Millisecond))
		}
	}
}

func TestOneAmongMany_IsPublishedWhenItComesAndGoes(t *testing.T) {
	for name, weight := range map[string]func(i int) int{
		"of equal weights": func(int) int { return 1 },
		"of many weights":  func(i int) int { return 1 + i%97 },
	} {
		t.Run(name, func(t *testing.T) {
			n := affordable(t, size(2000, 300, 50), 1)
			r := startRouter(t)
			attachAll(t, r.attach, n, func(i int) string { return fmt.Sprint("Weir-Weight: ", weight(i)) })
			r.awaitEndpoints(t, n)
			changeOften(t, r, n, fmt.Sprint("Weir-Weight: ", weight(50)))
			r.awaitEndpoints(t, n)
		})
	}
}

// changeOften has a worker come and go, again and again, among n.
func changeOften(t *testing.T, r *router, n int, field string) {
	t.Helper()
	events := r.follow(t)
	before := r.usage(t).CPU
	var coming, going []time.Duration
	changes := size(100, 10, 3)
	for i := range changes {
		name := fmt.Sprintf("one%d", i)
		began := time.Now()
		w, err := attach(r.attach, name, field)
		if err != nil {
			t.Fatal(err)
		}
		coming = append(coming, await(t, events, "worker_attached", name).Sub(began))
		began = time.Now()
		w.leave()
		going = append(going, await(t, events, "worker_left", name).Sub(began))
	}
	cpu := (r.usage(t).CPU - before) / time.Duration(2*changes)
	t.Logf("one worker among %d: published after %v (99%%: %v) when it comes, %v (99%%: %v) when it goes, for %v of processor time",
		n, share(coming, 0.5), share(coming, 0.99), share(going, 0.5), share(going, 0.99), cpu.Round(time.Microsecond))
}

func kib(bytes, n int) float64 { return float64(bytes) / 1024 / float64(n) }
