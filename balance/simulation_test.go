package balance

import (
	"sync/atomic"
	"testing"
	"time"
)

// sourced are the policies, made with a source of random numbers that is the same
// in every run.
var sourced = map[string]func(set []Target, source func() uint64) Picker{
	"round_robin": func(set []Target, _ func() uint64) Picker { return NewRoundRobin(set, new(atomic.Uint64)) },
	"random":      newRandom,
	"least_load":  newLeastLoad,
	"hash":        newHash,
	"maglev":      newMaglev,
}

// While 160 requests are under way, each policy gives each of ten endpoints, which
// are equally fast, its share.
func TestSimulation_SpreadsRequestsByWeight(t *testing.T) {
	const requests = 30_000
	for _, weights := range [][]int{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {4, 3, 2, 1, 1, 1, 1, 1, 1, 1}} {
		for _, name := range []string{"round_robin", "random", "least_load", "hash", "maglev"} {
			c := newCluster(len(weights))
			for _, s := range c.servers {
				s.slots, s.work = unlimited, constant(10*time.Millisecond)
			}
			c.keyed = true
			p := sourced[name](weighted(weights...), seeded())
			c.load(p, requests, 16_000, func() { c.key = c.random.Uint64() }, nil)
			worst := 0.0
			for i, n := range c.served() {
				want := requests * float64(weights[i]) / float64(sum(weights))
				worst = max(worst, float64(n)/want-1, 1-float64(n)/want)
			}
			t.Logf("weights %v: by %-11s an endpoint is off its share by at most %.1f %%", weights, name, 100*worst)
			if worst > 0.1 {
				t.Errorf("by %s, endpoints of weights %v get %v requests", name, weights, c.served())
			}
		}
	}
}

// One server of ten is ten times slower than the others. At half of what all can
// take together, it gets more than it can take if it gets its share; at a
// twentieth it does not, but one request in ten is slow.
func TestSimulation_LeastLoadKeepsAwayFromASlowEndpoint(t *testing.T) {
	const requests = 20_000
	for _, test := range []struct {
		load      string
		perSecond float64
	}{{"half", 1820}, {"a twentieth", 182}} {
		p99 := map[string]time.Duration{}
		for _, name := range []string{"round_robin", "random", "least_load"} {
			c := newCluster(10)
			slow := c.servers[3]
			slow.work = func() time.Duration { return c.about(100 * time.Millisecond) }
			c.load(sourced[name](equal(10), seeded()), requests, test.perSecond, nil, nil)
			p99[name] = c.quantile(0.99)
			t.Logf("load %s, %-11s: p50 %v, p99 %v, the slow one gets %.2f %%",
				test.load, name, c.quantile(0.5), p99[name], 100*float64(slow.served)/requests)
		}
		if p99["least_load"]*3 > p99["round_robin"] {
			t.Errorf("load %s: with one slow endpoint of ten the p99 is %v by least_load and %v by round_robin, want a third at most",
				test.load, p99["least_load"], p99["round_robin"])
		}
	}
}

// failing returns the share of the requests that least_load gives an endpoint that
// fails in 0.1 ms, while the others answer in 10 ms.
func failing(n int, naive bool) float64 {
	const requests = 15_000
	c := newCluster(n)
	c.naive = naive
	for _, s := range c.servers {
		s.work = constant(10 * time.Millisecond)
	}
	bad := c.servers[1]
	bad.fails, bad.work = true, constant(100*time.Microsecond)
	c.load(newLeastLoad(equal(n), seeded()), requests, 150*float64(n), nil, nil)
	return float64(bad.served) / requests
}

// Comparing two of n, an endpoint is one of them for 2/n of the requests, and that
// is what one gets that is quick to fail, if failures are taken for answers; where
// all are compared, it gets nearly all. Counted as failures, it gets less than its
// share.
func TestSimulation_LeastLoadIsNotAttractedByAnEndpointThatFailsFast(t *testing.T) {
	for _, test := range []struct {
		n        int
		attracts float64 // at least this, without protection
	}{{10, 1.9 / 10}, {3, 0.5}} {
		protected, naive := failing(test.n, false), failing(test.n, true)
		t.Logf("of %2d endpoints, one that fails fast gets %.2f %% of the requests; %.2f %% if failures are taken for answers",
			test.n, 100*protected, 100*naive)
		if protected > 1/float64(test.n) {
			t.Errorf("of %d endpoints, one that fails fast gets %.2f %% of the requests, want its share at most", test.n, 100*protected)
		}
		if naive < test.attracts {
			t.Errorf("of %d endpoints, one that fails fast gets %.2f %% although failures are taken for answers, want at least %.0f %%",
				test.n, 100*naive, 100*test.attracts)
		}
	}
}

// Nine of ten requests have the same key. Whenever one is placed, its endpoint has
// at most 1.25 times the mean under way, and one more, or a few; as long as none
// ends, that is so of all.
func TestSimulation_HashBoundsTheLoadOfAHotKey(t *testing.T) {
	for _, test := range []struct {
		name string
		work time.Duration
		ends bool
	}{{"requests end", 20 * time.Millisecond, true}, {"none ends", time.Hour, false}} {
		c := newCluster(10)
		for _, s := range c.servers {
			s.slots, s.work = unlimited, constant(test.work)
		}
		c.keyed = true
		most, hottest := 0.0, 0
		c.load(newHash(equal(10), seeded()), 10_000, 5000, func() {
			if c.key = 42; c.random.IntN(10) == 0 {
				c.key = c.random.Uint64()
			}
		}, func(placed int) {
			mean := float64(sum(c.underWay())) / 10
			for i, n := range c.underWay() {
				if i == placed || !test.ends {
					hottest = max(hottest, n)
					if n > few {
						most = max(most, float64(n)-1.25*mean)
					}
				}
			}
		})
		t.Logf("%s: the busiest has %d under way, and never more than 1.25 times the mean and %.2f", test.name, hottest, most)
		if most > 1 {
			t.Errorf("%s: an endpoint has 1.25 times the mean and %.2f more under way, want 1 at most", test.name, most)
		}
	}
}
