package balance

import (
	"slices"
	"time"
)

// A server is a simulated endpoint.
type server struct {
	// slots is how many requests it works on at once; the others wait in the
	// order they came.
	slots int
	// work is how long it works on one.
	work func() time.Duration
	// fails: it answers nothing but errors.
	fails bool

	working  int
	waiting  []func()
	inFlight int
	latency  PeakEWMA
	served   int
}

// unlimited is more slots than any simulation needs.
const unlimited = 1 << 20

// constant is work that always takes as long.
func constant(d time.Duration) func() time.Duration {
	return func() time.Duration { return d }
}

// A cluster is servers in one simulation. It is what pickers see of them.
type cluster struct {
	*simulation
	servers []*server
	// naive: failures are taken for answers.
	naive bool
	// key and keyed are of the request that is being placed.
	key   uint64
	keyed bool

	times []time.Duration // that requests took, in the order of their ends
}

// newCluster returns n servers of 4 slots that work for 10 ms on average.
func newCluster(n int) *cluster {
	c := &cluster{simulation: newSimulation()}
	for range n {
		c.servers = append(c.servers, &server{slots: 4, work: func() time.Duration { return c.about(10 * time.Millisecond) }})
	}
	return c
}

func (c *cluster) Free(int) bool { return true }

func (c *cluster) InFlight(i int) int { return c.servers[i].inFlight }

func (c *cluster) Latency(i int) time.Duration { return c.servers[i].latency.Value(c.now) }

func (c *cluster) Key() (uint64, bool) { return c.key, c.keyed }

// load has n requests come at random, so many a second, and lets them end. Before
// each, prepare is called, if it is not nil, and after it was placed, placed is.
func (c *cluster) load(p Picker, n int, perSecond float64, prepare func(), placed func(i int)) {
	mean := time.Duration(float64(time.Second) / perSecond)
	var come func()
	come = func() {
		if prepare != nil {
			prepare()
		}
		i := p.Pick(c)
		c.send(c.servers[i])
		if placed != nil {
			placed(i)
		}
		if n--; n > 0 {
			c.after(c.about(mean), come)
		}
	}
	c.after(0, come)
	c.run()
}

// send gives a server a request.
func (c *cluster) send(s *server) {
	began := c.now
	s.inFlight++
	s.served++
	work := func() {
		s.working++
		c.after(s.work(), func() { c.end(s, began) })
	}
	if s.working < s.slots {
		work()
		return
	}
	s.waiting = append(s.waiting, work)
}

// end is when a server answers.
func (c *cluster) end(s *server, began time.Duration) {
	s.inFlight--
	s.working--
	took := c.now - began
	c.times = append(c.times, took)
	if s.fails && !c.naive {
		s.latency.ObserveFailure(c.now, took)
	} else {
		s.latency.Observe(c.now, took)
	}
	if len(s.waiting) > 0 {
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		next()
	}
}

// served is how many requests each server got.
func (c *cluster) served() []int {
	counts := make([]int, len(c.servers))
	for i, s := range c.servers {
		counts[i] = s.served
	}
	return counts
}

// underWay is how many requests each server has.
func (c *cluster) underWay() []int {
	counts := make([]int, len(c.servers))
	for i, s := range c.servers {
		counts[i] = s.inFlight
	}
	return counts
}

// quantile is the time that a share q of the requests took no longer than.
func (c *cluster) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(c.times))
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}
