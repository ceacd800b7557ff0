//go:build real

package real

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// What TestAdversary_CostsNoClientItsAnswer holds, where endpoints dial in. While
// they only take their leave, nobody notices anything; and a router that is started
// again executes nothing twice.
func TestAdversaryOfWorkers_CostsNoClientItsAnswer(t *testing.T) {
	seed, d := chaosSeed(t), chaosDuration(t)
	t.Logf("CHAOS_SEED=%d CHAOS_DURATION=%v", seed, d)
	t.Run("they are harmed", func(t *testing.T) {
		newShift(t, seed+2, harsh).play(t, d/2)
	})
	t.Run("they come and go", func(t *testing.T) {
		newShift(t, seed+3, gentle).play(t, d/5)
	})
	t.Run("the router is restarted", func(t *testing.T) {
		s := newShift(t, seed+4, brisk)
		s.restarts = true
		s.play(t, d*3/10)
	})
}

// A shift is one Weir with workers that serve a single service.
type shift struct {
	seed     uint64
	how      harshness
	rules    ledger.Rules
	helpers  []*helper
	visitors []*helper
	log      string
	proxy    *proxy
	door     string // where workers attach
	harms    *adversary

	restarts bool         // of the router
	back     atomic.Int64 // when it was there again, in Unix nanoseconds; 0 is not yet
}

// margin is how long before a request the router may have been away, for the
// client to have met its leaving: it can have seen the connection whole, and lost.
const margin = time.Second

// workerBuffer is retry.buffer: a POST that carries more is not repeated.
const workerBuffer = 64 << 10

// workerRequest bounds a request. One that waits for a frozen worker does so until
// the router gives up its connection, which takes 30 s, and the next one may freeze
// meanwhile.
const workerRequest = 100 * time.Second

// workerAttempts lets a GET try every worker once, and those that come meanwhile.
const workerAttempts = 12

func newShift(t *testing.T, seed uint64, how harshness) *shift {
	t.Helper()
	s := &shift{seed: seed, how: how, log: filepath.Join(t.TempDir(), "access.log")}
	s.rules = ledger.Rules{
		Bound: workerRequest + sweep + forTheMachine,
		// weir attach may send a GET once more, when a connection that it kept ends.
		Attempts: 2 * workerAttempts, Gentle: how == gentle, Buffer: workerBuffer,
	}
	door := vacant(t)
	// As to the budget, see newRound.
	s.proxy = startWeir(t, fmt.Sprintf(`
listeners: [{ address: %q }]
attach: { address: %q }
access_log: { path: %q, format: json }
services:
  default:
    retry: { attempts: %d, budget: 100%%, budget_floor: 1000, buffer: %dB }
    timeouts: { request: %v }
    queue: { timeout: 15s }`,
		vacant(t), door, s.log, workerAttempts, workerBuffer, workerRequest))
	for range 3 {
		s.helpers = append(s.helpers, newPair(t, door), newLoner(t, door))
	}
	for range 2 {
		s.visitors = append(s.visitors, newVisitor(t, door))
	}
	s.door = door
	return s
}

// askers is how many ask at the same time, each of them not often: a worker that
// freezes has everybody wait who asks for something in the next three seconds and
// gets to it.
const askers = 160

// play has customers ask under the adversary's acts, and judges.
func (s *shift) play(t *testing.T, d time.Duration) {
	t.Helper()
	eats := diet{
		posts: 0.4, content: 32 << 10, answer: 48 << 10, keep: 0.9, thinking: 1500 * time.Millisecond,
		large: 0.04, largest: 512 << 10, pause: 300 * time.Millisecond,
	}
	if s.restarts {
		eats.away = s.wasAway
	} else {
		// Not where it could be the only worker for a moment, as after a restart.
		startRefuser(t, s.door)
	}
	c := newCrowd(t, askers, s.seed, s.proxy.addresses[0], s.rules.Bound, eats)
	c.await(t, 2*askers)
	before := s.proxy.figures(t)
	a := newAdversary(s.seed, s.proxy, s.victims())
	s.harms = a
	a.least, a.most = 40*time.Millisecond, 300*time.Millisecond
	a.run(t, d)
	reports := c.home()
	t.Logf("%s\n%s\nweir retried %v times", ledger.Tally(reports), a.summary(), s.proxy.metric(t, "weir_retries_total"))
	reports = append(reports, s.checkHealth(t, before)...)
	s.end(t)
	s.audit(t, a, reports)
}

func (s *shift) victims() (all []*victim) {
	for _, h := range s.helpers {
		all = append(all, h.victim(s.how))
	}
	for _, h := range s.visitors {
		v := h.guest(s.how)
		all = append(all, v, v) // it has the adversary's eye more often
	}
	if s.restarts {
		all = append(all, &victim{name: "the router", brief: true, rest: 4 * time.Second, harms: []harm{
			{name: "restart", weight: 1, least: time.Millisecond, most: time.Second, do: s.restart, undo: func(*testing.T) {}},
		}})
	}
	return all
}

// restart stops the router gracefully and starts it again. Before that, who is frozen
// is let go: the router would wait for him, and everybody for the router. So is who
// misbehaves: he may be the first to be back, and then is all there is.
func (s *shift) restart(t *testing.T) {
	t.Helper()
	s.harms.relent(t, func(v *victim) bool { return v.suffers.useless })
	s.back.Store(never)
	s.stop(t)
	s.proxy.process = start(t, s.proxy.cmd.Path, s.proxy.cmd.Args[1:]...)
	s.proxy.admin = adminURL.FindStringSubmatch(s.proxy.await(t, "admin page", 1)[0])[1]
	s.back.Store(time.Now().UnixNano())
}

const never = 1<<63 - 1

// wasAway reports whether the router was away at some time since, or just before.
func (s *shift) wasAway(since time.Time) bool { return s.back.Load() > since.Add(-margin).UnixNano() }

// stop stops the router gracefully.
func (s *shift) stop(t *testing.T) {
	t.Helper()
	_ = s.proxy.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.proxy.done:
	case <-time.After(30*time.Second + patience): // shutdown.timeout
		t.Errorf("weir does not end after SIGTERM")
		s.proxy.process.stop(syscall.SIGKILL)
	}
	if code := s.proxy.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("weir ends with exit code %d after SIGTERM, want 0", code)
	}
}

// checkHealth holds that all serve again and that Weir has got over it, and returns
// what became of the requests that this took.
func (s *shift) checkHealth(t *testing.T, before figures) []ledger.Report {
	t.Helper()
	reports := allServe(t, &customer{
		name: "afterwards", address: s.proxy.addresses[0], bound: s.rules.Bound,
		random: rand.New(rand.NewPCG(s.seed, 2<<32)), diet: diet{answer: 100, keep: 0.5, thinking: 10 * time.Millisecond},
	}, len(s.helpers)+len(s.visitors))
	s.proxy.settle(t, figures{
		descriptors: before.descriptors + askers,
		goroutines:  before.goroutines + askers,
		memory:      before.memory + mostGrowth,
	})
	return reports
}

// end ends the workers, and then the router: what is in a ledger then stays.
func (s *shift) end(t *testing.T) {
	t.Helper()
	for _, h := range append(s.helpers, s.visitors...) {
		h.send(syscall.SIGTERM)(t)
	}
	for _, h := range append(s.helpers, s.visitors...) {
		h.endWell(t)
	}
	s.stop(t)
}

func (s *shift) audit(t *testing.T, a *adversary, reports []ledger.Report) {
	t.Helper()
	story := &chronicle{adversary: a, log: s.log, reports: reports}
	for _, h := range append(s.helpers, s.visitors...) {
		story.entries = append(story.entries, h.entries(t)...)
	}
	slowest := slices.MaxFunc(reports, func(a, b ledger.Report) int { return cmp.Compare(a.Took, b.Took) })
	t.Logf("the slowest request:\n%s", story.story(t, slowest.ID))
	s.rules.Harmed = a.harmed
	story.fail(t, ledger.Audit(s.rules, reports, story.entries))
	if len(a.acts) == 0 {
		t.Errorf("the adversary has done nothing, so that this shows nothing")
	}
}

// What the endpoint behind weir attach sends behind an answer is nobody's. Customers
// ask without a pause, so that each connection is wanted again at once.
func TestTwoAnswersBehindAttach_AreNobodyElses(t *testing.T) {
	door := vacant(t)
	w := startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
attach: { address: %q }`, door))
	newPair(t, door).behave(t, "twice")
	c := newCrowd(t, 48, 1, w.addresses[0], patience, plainGets)
	c.await(t, 6000)
	checkServed(t, c.home())
}
