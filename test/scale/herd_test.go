//go:build unix

package scale

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestHerd_ComesBackToARouterThatWasKilled(t *testing.T) {
	for _, c := range []struct {
		name   string
		atOnce bool
	}{{"with full jitter", false}, {"all at once", true}} {
		t.Run(c.name, func(t *testing.T) {
			n := affordable(t, size(2000, 400, 60), 1)
			r := startRouter(t)
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("w%d", i)
			}
			began := time.Now()
			h := gather(t, r.attach, names)
			h.await(t, began)
			r.awaitEndpoints(t, n)
			comeBack(t, r, h, c.atOnce)

			answers := newLedger()
			send(answers, "http://"+r.clients+"/", 2*n, 16)
			answers.check(t)
			if len(answers.byName) != n {
				t.Errorf("%d of %d workers serve after they came back", len(answers.byName), n)
			}
		})
	}
}

// comeBack kills a router under requests and starts it again, and tells how its
// workers come back.
func comeBack(t *testing.T, r *router, h *herd, atOnce bool) {
	t.Helper()
	gate := make(chan struct{})
	if atOnce {
		h.gate.Store(&gate)
	}
	i := beginInquiry("http://" + r.clients + "/")
	defer i.end()
	i.await(t, 50)
	r.kill()
	time.Sleep(time.Duration(size(3000, 200, 100)) * time.Millisecond) // the outage
	h.refused.Store(0)
	h.cut.Store(0)
	starting := time.Now() // whoever is back before start returns is back, too
	r.start(t)
	i.expect(time.Now())
	close(gate)
	h.gate.Store(nil)
	after := h.await(t, starting)
	cpu := r.usage(t).CPU
	r.awaitEndpoints(t, len(after))
	i.end()
	t.Logf("of %d workers half were back after %v, 99%% after %v, all after %v; %d were refused and %d not answered at first; for %v of the router's processor time",
		len(after), share(after, 0.5), share(after, 0.99), share(after, 1), h.refused.Load(), h.cut.Load(), cpu.Round(time.Millisecond))
	t.Logf("of %d requests meanwhile %d were answered by a worker and %d with 503; the slowest took %v",
		i.answered+i.unavailable, i.answered, i.unavailable, i.slowest.Round(time.Millisecond))
	for _, w := range i.wrong {
		t.Errorf("a request that came while the workers did: %s", w)
	}
	if i.answered == 0 {
		t.Error("no request was answered meanwhile")
	}
}

// An inquiry sends requests all the time. From the moment on that it expects
// answers, each is to be answered: by a worker, or with 503 and when to come again.
type inquiry struct {
	client *client
	stop   chan struct{}
	over   sync.Once
	asking sync.WaitGroup

	mu                    sync.Mutex
	since                 time.Time // zero until answers are expected
	before                int
	answered, unavailable int
	slowest               time.Duration
	wrong                 []string
}

// mostWait is longer than a request may wait for a worker (queue.timeout).
const mostWait = 20 * time.Second

func beginInquiry(url string) *inquiry {
	i := &inquiry{client: newClient(mostWait), stop: make(chan struct{})}
	for range 8 {
		i.asking.Go(func() { i.ask(url) })
	}
	return i
}

func (i *inquiry) ask(url string) {
	for {
		select {
		case <-i.stop:
			return
		case <-time.After(5 * time.Millisecond): // a herd is to be looked at, not the load
		}
		began := time.Now()
		resp, text, err := i.client.get(url)
		i.enter(began, resp, text, err)
	}
}

func (i *inquiry) enter(began time.Time, resp *http.Response, text string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.since.IsZero() || began.Before(i.since): // of a router that was down
		i.before++
		return
	case err != nil:
		i.wrong = append(i.wrong, err.Error())
	case resp.StatusCode == http.StatusOK:
		i.answered++
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		i.unavailable++
	default:
		i.wrong = append(i.wrong, fmt.Sprintf("%s %s", resp.Status, text))
	}
	i.slowest = max(i.slowest, time.Since(began))
}

func (i *inquiry) expect(since time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.since = since
}

// await waits until n requests are over of those that nothing is expected of.
func (i *inquiry) await(t *testing.T, n int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		i.mu.Lock()
		enough := i.before >= n
		i.mu.Unlock()
		if enough {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%d requests are not over", n)
		}
	}
}

func (i *inquiry) end() {
	i.over.Do(func() { close(i.stop) })
	i.asking.Wait()
	i.client.CloseIdleConnections()
}
