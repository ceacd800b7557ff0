//go:build real

package real

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// While an adversary harms all endpoints but one, no client of a request that may
// be repeated notices, no request that may not be is executed twice, and each gets
// one answer of its own, or loses its connection, in time.
//
// CHAOS_SEED repeats what a run did as far as time allows, CHAOS_DURATION is how
// long it goes on.
func TestAdversary_CostsNoClientItsAnswer(t *testing.T) {
	seed, d := chaosSeed(t), chaosDuration(t)
	t.Logf("CHAOS_SEED=%d CHAOS_DURATION=%v", seed, d)
	t.Run("POST is executed once", func(t *testing.T) {
		newRound(t, seed, false).play(t, d)
	})
	t.Run("POST may be repeated", func(t *testing.T) {
		newRound(t, seed+1, true).play(t, min(max(d/4, 5*time.Second), time.Minute))
	})
}

func chaosSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("CHAOS_SEED")
	if text == "" {
		return uint64(rand.Uint32())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("CHAOS_SEED: %v", err)
	}
	return seed
}

func chaosDuration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CHAOS_DURATION")
	if text == "" && testing.Short() {
		return 10 * time.Second
	}
	if text == "" {
		return time.Minute
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("CHAOS_DURATION: %v", err)
	}
	return d
}

// customers is how many ask at the same time.
const customers = 24

// What a round configures. A frozen endpoint takes its connections and then the
// whole of response, which is a try each: with all but one frozen, four of them
// and the answer have to fit into attempts and into request.
var (
	chaosTimeouts = timeouts{
		connect: 300 * time.Millisecond, response: 1500 * time.Millisecond, read: time.Second, write: 2 * time.Second,
		request: 10 * time.Second, queue: 5 * time.Second,
	}
	chaosAttempts = 5
)

// A round is one Weir with endpoints of a single service.
type round struct {
	seed      uint64
	rules     ledger.Rules
	endpoints []*bookkeeper
	log       string
	proxy     *proxy
}

func newRound(t *testing.T, seed uint64, nonIdempotent bool) *round {
	t.Helper()
	r := &round{seed: seed, log: filepath.Join(t.TempDir(), "access.log")}
	r.endpoints = []*bookkeeper{
		newBookkeeper(t), newBookkeeper(t), newBookkeeper(t),
		newBookkeeperIn(t, newNamespace(t)), newBookkeeperIn(t, newNamespace(t)),
	}
	r.rules = ledger.Rules{
		Bound:    chaosTimeouts.bound(len(r.endpoints), chaosAttempts) + forTheMachine,
		Attempts: chaosAttempts, NonIdempotent: nonIdempotent,
	}
	// The budget is there so that retries do not add to an overload. Here up to
	// four endpoints of five fail at once, every request in flight may need one,
	// and nothing is overloaded: the budget must not be what decides.
	r.proxy = startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
access_log: { path: %q, format: json }
services:
  default:
    endpoints: %s
    non_idempotent: %v
    retry: { attempts: %d, budget: 100%%, budget_floor: 1000 }
    timeouts: %v
    queue: { timeout: %v }`,
		r.log, listed(r.endpoints), nonIdempotent, chaosAttempts, chaosTimeouts, chaosTimeouts.queue))
	return r
}

// play has customers ask under the adversary's acts, and judges.
func (r *round) play(t *testing.T, d time.Duration) {
	t.Helper()
	c := newCrowd(t, customers, r.seed, r.proxy.addresses[0], r.rules.Bound, diet{
		posts: 0.4, content: 32 << 10, answer: 48 << 10, keep: 0.9, thinking: 60 * time.Millisecond,
	})
	c.await(t, 10*customers)
	before := r.proxy.figures(t)
	var victims []*victim
	for _, b := range r.endpoints {
		victims = append(victims, b.victim())
	}
	a := newAdversary(r.seed, r.proxy, victims)
	a.run(t, d)
	reports := c.home()
	t.Logf("%s\n%s\nweir retried %v times", ledger.Tally(reports), a.summary(), r.proxy.metric(t, "weir_retries_total"))
	reports = append(reports, r.checkHealth(t, before)...)
	r.proxy.stop(syscall.SIGTERM)
	if code := r.proxy.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("weir ends with exit code %d after SIGTERM, want 0", code)
	}
	story := &chronicle{adversary: a, log: r.log, reports: reports}
	for _, b := range r.endpoints {
		story.entries = append(story.entries, b.entries(t)...)
	}
	r.rules.Harmed = a.harmed
	story.fail(t, ledger.Audit(r.rules, reports, story.entries))
	if len(a.acts) == 0 {
		t.Errorf("the adversary has done nothing in %v, so that this shows nothing", d)
	}
}

// checkHealth holds that Weir has got over it, and returns what became of the
// requests that this took.
func (r *round) checkHealth(t *testing.T, before figures) []ledger.Report {
	t.Helper()
	reports := r.checkAllServe(t)
	get(t, newHTTPClient(t), "http://"+r.proxy.admin+"/readyz")
	// Every customer may have left one connection to each endpoint behind, and a
	// goroutine for each of them is the most that could be meant.
	connections := customers * len(r.endpoints)
	r.proxy.settle(t, figures{
		descriptors: before.descriptors + connections,
		goroutines:  before.goroutines + connections,
		memory:      before.memory + mostGrowth,
	})
	return reports
}

// mostGrowth is how much more memory Weir may hold than at the beginning, in KiB:
// the requests of all customers at their largest, buffers on both sides, and what
// the collector has not come to. A leak would soon be beyond.
const mostGrowth = 48 << 10

// checkAllServe asks until every endpoint has answered. The longest rest is 10s.
func (r *round) checkAllServe(t *testing.T) []ledger.Report {
	t.Helper()
	return allServe(t, &customer{
		name: "afterwards", address: r.proxy.addresses[0], bound: r.rules.Bound,
		random: rand.New(rand.NewPCG(r.seed, 2<<32)), diet: diet{answer: 100, keep: 0.5, thinking: 10 * time.Millisecond},
	}, len(r.endpoints))
}

// allServe has a customer ask until that many endpoints have answered.
func allServe(t *testing.T, one *customer, endpoints int) []ledger.Report {
	t.Helper()
	ctx, enough := context.WithTimeout(t.Context(), 10*time.Second+patience)
	defer enough()
	seen := map[string]bool{"": true}
	one.run(ctx, func() {
		if seen[one.reports[len(one.reports)-1].Endpoint] = true; len(seen) > endpoints {
			enough()
		}
	})
	if len(seen) <= endpoints {
		t.Errorf("the adversary has stopped, and of %d endpoints only those get requests again: %v", endpoints, seen)
	}
	return one.reports
}
