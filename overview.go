package weir

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/weirproxy/weir/internal/admin"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/service"
	"github.com/weirproxy/weir/internal/shape"
)

// overview shows the state of services and endpoints to the admin listener.
type overview struct{ proxy *Proxy }

// Services implements admin.Services.
func (o overview) Services() []admin.Service {
	var list []admin.Service
	sources := o.proxy.shownSources()
	for _, s := range o.proxy.services.list() {
		list = append(list, s.shown(sources[s.key()]))
	}
	return list
}

// shown is what is shown of the service, with these sources.
func (s *liveService) shown(sources []admin.Source) admin.Service {
	now := s.now.Load()
	out := admin.Service{
		Name: s.fullName(), Version: s.version, Strategy: now.cfg.Strategy, Balance: now.cfg.Balance,
		QueueWaiting: s.Pool().Waiting(), Concurrency: max(0, now.cfg.Concurrency), InFlight: s.Pool().InFlight(),
		Sources: sources,
	}
	if now.split != nil {
		out.Split = now.cfg.Split
	}
	workers := s.roll.shown()
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Removed = slices.Sorted(maps.Keys(s.edited.removed))
	for _, m := range s.Pool().Members() {
		e := shownEndpoint(m)
		d := s.describedLocked(m, workers[m.Transport])
		e.Worker, e.Source, e.Version, e.Zone, e.Labels = workers[m.Transport], d.Source, s.version, d.Zone, d.Labels
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}

// shownSources returns what is shown of the sources of each service.
func (p *Proxy) shownSources() map[serviceKey][]admin.Source {
	all := map[serviceKey][]admin.Source{}
	for _, s := range p.following() {
		state := s.state.Load()
		shown := admin.Source{Kind: s.kind, State: state.word(), Since: state.since.UTC(), Endpoints: state.endpoints}
		if state.err != nil {
			shown.Error = state.err.Error()
		}
		all[s.key] = append(all[s.key], shown)
	}
	return all
}

func shownEndpoint(m *service.Member) admin.Endpoint {
	state := m.State()
	_, idle := m.Transport.Connections()
	e := admin.Endpoint{
		Name: m.Endpoint.Name, URL: m.Endpoint.Address.String(), Weight: m.Weight(),
		Up: state.Condition.Available(), State: stateName(m), Since: clockTime(state.Since),
		InFlight: m.InFlight(), Idle: idle, Concurrency: m.Concurrency(),
		Failures: m.Failures(), Rests: m.Rests(), Step: state.Step,
	}
	if state.Step > 0 {
		e.Until = clockTime(state.Until)
	}
	if state.Err != nil {
		e.LastError = state.Err.Error()
	}
	return e
}

// clockTime is the time of day of a moment on the clock of exchange.Now.
func clockTime(moment time.Duration) time.Time { return time.Now().Add(moment - exchange.Now()) }

// stateName is the condition of a member, or that its rest is being tested.
func stateName(m *service.Member) string {
	if c := m.State().Condition; c.Available() || !m.Probing() {
		return c.String()
	}
	return "probing"
}

// gauges show the state of services and endpoints to the metrics.
type gauges struct{ proxy *Proxy }

// Endpoints implements observe.Source.
func (s gauges) Endpoints(yield func(observe.EndpointStats)) {
	for _, svc := range s.proxy.services.list() {
		for _, m := range svc.Pool().Members() {
			active, idle := m.Transport.Connections()
			yield(observe.EndpointStats{
				Service: svc.fullName(), Endpoint: m.Endpoint.Name,
				Up: m.State().Condition.Available(), State: stateName(m),
				Active: active, Idle: idle, InFlight: m.InFlight(), Rests: m.Rests(),
			})
		}
	}
}

// Services implements observe.Source.
func (s gauges) Services(yield func(observe.ServiceStats)) {
	for _, svc := range s.proxy.services.list() {
		p := svc.Pool()
		full, late, resting := p.Rejected()
		yield(observe.ServiceStats{
			Service: svc.fullName(), QueueWaiting: p.Waiting(),
			QueueRejected: observe.QueueRejected{Full: full, Timeout: late, Resting: resting},
			Hedges:        svc.now.Load().Hedges(), RetriesDenied: svc.now.Load().Denied(),
		})
	}
}

// feed lets the admin listener follow what changes.
type feed struct{ events *observe.Events }

// Subscribe implements admin.Events.
func (f feed) Subscribe(after uint64) (at uint64, next admin.NextEvent) {
	s := f.events.Subscribe(after)
	return s.At(), func(ctx context.Context) (admin.Event, uint64, error) {
		e, missed, err := s.Next(ctx)
		return admin.Event(e), missed, err
	}
}

// SkippedSteps implements observe.Source.
func (s gauges) SkippedSteps(yield func(reason string, n uint64)) {
	counts := s.proxy.skippedSteps()
	for reason := shape.SkippedError; int(reason) < len(counts); reason++ {
		yield(reason.String(), counts.Of(reason))
	}
}

// skippedSteps counts the steps that were left out since the proxy was made.
func (p *Proxy) skippedSteps() shape.Counts {
	p.skipping.Lock()
	defer p.skipping.Unlock()
	all := p.skipped
	if pl := p.plan.Load(); pl != nil {
		all = pl.skipped(all)
	}
	return all
}

// skipped adds what the plan has counted to counts.
func (pl *plan) skipped(counts shape.Counts) shape.Counts {
	for _, program := range pl.programs {
		for i, n := range program.Skipped() {
			counts[i] += n
		}
	}
	return counts
}
