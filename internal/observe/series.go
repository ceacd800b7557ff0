package observe

import (
	"maps"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/exchange"
)

// ServiceSeries are the counters of one service and of its endpoints.
type ServiceSeries struct {
	name      string
	counters  *counters
	cells     []serviceCell // by lane
	endpoints atomic.Pointer[map[string]*Series]
	// other counts the requests that no endpoint answered, or one that was not
	// declared.
	other *Series
}

// Series are the counters of one endpoint of one service.
type Series struct {
	name  string
	cells []endpointCell // by lane
}

func (c *counters) newService(name string) *ServiceSeries {
	s := &ServiceSeries{
		name:     name,
		counters: c,
		cells:    make([]serviceCell, c.lanes),
		other:    c.newSeries(""),
	}
	s.endpoints.Store(&map[string]*Series{})
	return s
}

func (c *counters) newSeries(name string) *Series {
	return &Series{name: name, cells: make([]endpointCell, c.lanes)}
}

// Service returns the counters of a service, declaring it if it is new.
func (o *Observer) Service(name string) *ServiceSeries {
	c := &o.counters
	if name == "" {
		return c.other
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.services.Load()
	if s := old[name]; s != nil {
		return s
	}
	next := maps.Clone(old)
	s := c.newService(name)
	next[name] = s
	c.services.Store(&next)
	return s
}

// Forget drops the counters of a service that is no more. What is counted for it
// later goes to the empty name.
func (s *ServiceSeries) Forget() {
	c := s.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.services.Load()
	if old[s.name] != s {
		return
	}
	next := maps.Clone(old)
	delete(next, s.name)
	c.services.Store(&next)
}

// Retain declares the names of all the endpoints of the service, whenever that
// set changes, and before the first request of those that come. Counters of those
// that stay go on; those of others are dropped, and what is counted for them later
// goes to the empty name.
func (s *ServiceSeries) Retain(names []string) {
	s.counters.mu.Lock()
	defer s.counters.mu.Unlock()
	old := *s.endpoints.Load()
	next := make(map[string]*Series, len(names))
	for _, name := range names {
		switch {
		case name == "" || next[name] != nil:
		case old[name] != nil:
			next[name] = old[name]
		default:
			next[name] = s.counters.newSeries(name)
		}
	}
	s.endpoints.Store(&next)
}

// Endpoint returns the counters of an endpoint, declaring it if it is new. The
// set is copied each time: many are declared at once with Retain.
func (s *ServiceSeries) Endpoint(name string) *Series {
	if name == "" {
		return s.other
	}
	s.counters.mu.Lock()
	defer s.counters.mu.Unlock()
	old := *s.endpoints.Load()
	if e := old[name]; e != nil {
		return e
	}
	next := maps.Clone(old)
	e := s.counters.newSeries(name)
	next[name] = e
	s.endpoints.Store(&next)
	return e
}

// endpoint returns the counters of an endpoint, or other if it is not declared.
func (s *ServiceSeries) endpoint(name string) *Series {
	if name != "" {
		if e := (*s.endpoints.Load())[name]; e != nil {
			return e
		}
	}
	return s.other
}

// add counts one exchange of the service.
func (s *ServiceSeries) add(l *lane, out *exchange.Outcome) {
	s.endpoint(out.Endpoint).cells[l.index].requests[class(out.Status)].Add(1)
	for i := range out.Tries {
		t := &out.Tries[i]
		s.endpoint(t.Endpoint).cells[l.index].tries[tryOutcome(t)].Add(1)
	}

	cell := &s.cells[l.index]
	cell.durations[bucket(durationBounds[:], out.Duration)].Add(1)
	cell.nanoseconds.Add(uint64(max(out.Duration, 0)))
	if out.Attempts > 1 {
		cell.retries.Add(uint64(out.Attempts - 1))
	}
	if out.Queued > 0 {
		cell.waits[bucket(waitBounds[:], out.Queued)].Add(1)
		cell.waitNanoseconds.Add(uint64(out.Queued))
	}
	if out.RequestBytes > 0 {
		cell.requestBytes.Add(uint64(out.RequestBytes))
	}
	if out.ResponseBytes > 0 {
		cell.responseBytes.Add(uint64(out.ResponseBytes))
	}
}
