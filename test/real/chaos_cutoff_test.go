//go:build real

package real

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

const (
	cutOffConnect  = 300 * time.Millisecond
	cutOffResponse = 500 * time.Millisecond
)

// One of three endpoints is cut off. After the time in which that can be found
// out, requests take no longer than those to a service that has only the other two.
func TestCutOffAmongThree_SlowsOnlyTheFirst(t *testing.T) {
	ns := newNamespace(t)
	a, b, lost := newBookkeeper(t), newBookkeeper(t), newBookkeeperIn(t, ns)
	w := startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
routes:
  - { match: { path: "/two/*" }, strip_prefix: /two, service: two }
  - { match: { path: "/three/*" }, strip_prefix: /three, service: three }
services:
  two: { endpoints: %s, timeouts: &t { connect: %v, response: %v } }
  three: { endpoints: %s, timeouts: *t }`,
		listed([]*bookkeeper{a, b}), cutOffConnect, cutOffResponse, listed([]*bookkeeper{a, lost, b})))
	two, three := newStopwatch(w, "two"), newStopwatch(w, "three")
	for len(lost.entries(t)) < 20 {
		two.time(t, 10)
		three.time(t, 10)
	}
	ns.cutOff(t)
	// Those that are caught wait for an answer, those that come after them for a
	// connection.
	for noticed := time.Now().Add(2*cutOffResponse + 2*cutOffConnect); time.Now().Before(noticed); {
		three.time(t, 1)
	}
	const tries = 3
	for try := 1; ; try++ {
		report, ok := compare(t, two, three)
		switch t.Log(report); {
		case ok:
			return
		case try == tries:
			t.Fatalf("the endpoint that is cut off slows requests in each of %d runs", tries)
		}
	}
}

// compare times requests to both services in turns, and reports whether those of
// the one with the lost endpoint are about as fast.
func compare(t *testing.T, two, three *stopwatch) (report string, ok bool) {
	t.Helper()
	const turns, each = 30, 50
	var healthy, harmed []time.Duration
	for range turns {
		healthy = append(healthy, two.time(t, each)...)
		harmed = append(harmed, three.time(t, each)...)
	}
	slices.Sort(healthy)
	slices.Sort(harmed)
	p := len(healthy) * 99 / 100
	report = fmt.Sprintf("99%% of requests to two endpoints take up to %v, with a third that is cut off %v; the slowest %v and %v",
		healthy[p], harmed[p], healthy[len(healthy)-1], harmed[len(harmed)-1])
	return report, harmed[p] <= 2*healthy[p]+2*time.Millisecond
}

// A stopwatch times requests to a service.
type stopwatch struct {
	prefix string
	asks   *customer
}

func newStopwatch(w *proxy, service string) *stopwatch {
	return &stopwatch{prefix: service + "/", asks: &customer{address: w.addresses[0], bound: patience}}
}

// time asks n times and returns how long each request took. All have to be
// answered.
func (s *stopwatch) time(t *testing.T, n int) (took []time.Duration) {
	t.Helper()
	for range n {
		r := s.asks.ask(order{id: "id", prefix: s.prefix, method: http.MethodGet, size: 100, keep: true})
		if r.Outcome != ledger.Answered {
			t.Fatalf("a client sees a failure although two endpoints are well: %v", r)
		}
		took = append(took, r.Took)
	}
	return took
}
