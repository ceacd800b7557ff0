//go:build real

package real

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/weirproxy/weir/test/real/ledger"
)

// startStrategy runs Weir with one service over endpoints, and nothing else that
// is not the default.
func startStrategy(t *testing.T, strategy string, endpoints ...*bookkeeper) *proxy {
	t.Helper()
	return startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
services: { default: { strategy: %s, endpoints: %s } }`, strategy, listed(endpoints)))
}

// All endpoints of a fan-out hold their answers until one is let go. Its answer is
// the client's while the other is still held, and the other then sees that nobody
// waits any more.
func TestFanout_CancelsWhoLost(t *testing.T) {
	winner, loser := newBookkeeper(t), newBookkeeper(t)
	winner.behave(t, "hold")
	loser.behave(t, "hold")
	w := startStrategy(t, "fanout", loser, winner)
	c, err := net.Dial("tcp", w.addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /one?size=100 HTTP/1.1\r\nHost: a.example\r\n\r\n")
	winner.await(t, "holding one", 1)
	loser.await(t, "holding one", 1)
	winner.signal(t, syscall.SIGUSR1)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("the client gets no answer although one endpoint has given it: %v", err)
	}
	content, err := io.ReadAll(resp.Body)
	if err == nil {
		err = ledger.Check("one", nil, 100, resp.Header, content)
	}
	if err != nil || resp.Header.Get(ledger.FieldEndpoint) != winner.name {
		t.Errorf("the client gets %s from %q: %v", resp.Status, resp.Header.Get(ledger.FieldEndpoint), err)
	}
	loser.await(t, "left one", 1)
	for _, e := range loser.entries(t) {
		if e.Event == ledger.Answering {
			t.Errorf("the endpoint that lost has begun to answer: %v", e)
		}
	}
}

// plainGets is what customers ask for where any answer that is not whole counts as
// a failure: answers are so small that none can be cut.
var plainGets = diet{answer: 300, keep: 0.8}

// checkServed holds that customers got a whole answer to everything they asked for.
func checkServed(t *testing.T, reports []ledger.Report) {
	t.Helper()
	failed := 0
	for _, r := range reports {
		if r.Outcome == ledger.Answered && r.Extra == "" {
			continue
		}
		if failed++; failed <= mostStories {
			t.Errorf("a client sees a failure: %v", r)
		}
	}
	if t.Logf("%s", ledger.Tally(reports)); failed > 0 {
		t.Errorf("%d of %d requests failed although an endpoint was there", failed, len(reports))
	}
}

// Three endpoints stop one after the other under load. As long as one is there, no
// client sees anything of it; after that, every client is told.
func TestStoppedEndpoints_CostNothingUntilTheLast(t *testing.T) {
	for _, strategy := range []string{"fanout", "failover"} {
		t.Run(strategy, func(t *testing.T) {
			endpoints := []*bookkeeper{newBookkeeper(t), newBookkeeper(t), newBookkeeper(t)}
			w := startStrategy(t, strategy, endpoints...)
			c := newCrowd(t, 8, 1, w.addresses[0], patience, plainGets)
			for _, b := range endpoints[:2] {
				c.await(t, 200)
				b.kill()
			}
			c.await(t, 200)
			checkServed(t, c.home())
			endpoints[2].kill()
			for range 3 {
				checkRefused(t, w)
			}
		})
	}
}

// checkRefused holds that a GET gets an error of Weir's own.
func checkRefused(t *testing.T, w *proxy) {
	t.Helper()
	one := &customer{address: w.addresses[0], bound: patience}
	r := one.ask(order{id: "late", method: http.MethodGet, size: 100})
	if r.Outcome != ledger.Refused || r.Status != http.StatusBadGateway && r.Status != http.StatusServiceUnavailable {
		t.Errorf("with no endpoint left: %v; want it refused with 502 or 503", r)
	}
}

// One of three endpoints is killed in the middle of 300 requests, and no client
// sees anything of it.
func TestKilledOfThree_CostsNoClientAnything(t *testing.T) {
	for _, strategy := range []string{"failover", "single"} {
		t.Run(strategy, func(t *testing.T) {
			first, others := newBookkeeper(t), []*bookkeeper{newBookkeeper(t), newBookkeeper(t)}
			w := startStrategy(t, strategy, append([]*bookkeeper{first}, others...)...)
			c := newCrowd(t, 4, 1, w.addresses[0], patience, plainGets)
			c.await(t, 100)
			first.kill()
			c.await(t, 200)
			reports := c.home()
			checkServed(t, reports)
			if seen := len(first.entries(t)); seen == 0 || len(reports) < 300 {
				t.Errorf("the one that was killed had %d entries, and there were %d requests: this shows nothing", seen, len(reports))
			}
		})
	}
}
