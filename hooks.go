package weir

import (
	"context"
	"iter"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/service"
)

// An Event is something that changed while the proxy runs.
type Event struct {
	// ID grows from event to event, and from one run of the program to the next.
	ID   uint64
	Time time.Time
	// Type says what changed: "endpoint_state" is the condition of an endpoint,
	// "source_state" whether a source of endpoints can be asked, "worker_attached" and
	// "worker_left" a connection of a worker, "endpoint_changed" what was changed
	// through the admin API.
	Type string
	// Service is the full name, as in shop@v2; Endpoint and Source may be empty.
	Service, Endpoint, Source string
	// From and To are the conditions before and after, Reason why.
	From, To, Reason string
	// Missed counts the events just before this one that came too fast for whoever
	// listens; the last 1024 are kept.
	Missed uint64
}

// Events returns what changes from now on, until ctx ends or the loop is left. Who is
// slow holds nobody up. It may be used by several at once.
func (p *Proxy) Events(ctx context.Context) iter.Seq[Event] {
	s := p.events.Subscribe(observe.FromNow)
	return func(yield func(Event) bool) {
		for {
			e, missed, err := s.Next(ctx)
			if err != nil || !yield(Event{
				ID: e.ID, Time: e.Time, Type: e.Type, Service: e.Service, Endpoint: e.Endpoint, Source: e.Source,
				From: e.From, To: e.To, Reason: e.Reason, Missed: missed,
			}) {
				return
			}
		}
	}
}

// A Failure is a try that counts against an endpoint, as backpressure.failures says.
type Failure struct {
	// Service is the full name, as in shop@v2; Endpoint the name within it.
	Service, Endpoint string
	// Err says what went wrong.
	Err error
	// Count is how often that has happened to the endpoint.
	Count uint64
}

// WithFailures has f told of every try that counts against an endpoint. It is called
// while a request waits, concurrently; so it returns at once.
func WithFailures(f func(Failure)) Option { return func(p *Proxy) { p.failures = f } }

// WithPolicy has the endpoints of a service, and of all its versions, chosen by a
// policy of one's own, whatever balance says. Strategies failover and fanout go by the
// order of the endpoints all the same.
//
// The policy is told latencies. It is made for the endpoints that are available; if
// the service has hash_on, it is made once for all, and told what requests are to be
// placed by.
func WithPolicy(service string, policy balance.Policy) Option {
	return func(p *Proxy) { p.policies[service] = policy }
}

// endpointFailed tells whoever wants to know of a try that counts against an endpoint.
func (p *Proxy) endpointFailed(service string, m *service.Member, b pool.Setback) {
	p.failures(Failure{Service: service, Endpoint: m.Endpoint.Name, Err: b.Err, Count: m.Failures()})
}
