package weir

import (
	"context"
	"time"

	"github.com/weirproxy/weir/internal/admin"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/service"
)

// overview shows the state of services and endpoints to the admin listener.
type overview struct{ services *catalog }

// Services implements admin.Services.
func (s overview) Services() []admin.Service {
	var list []admin.Service
	for _, svc := range s.services.list() {
		c := svc.settings()
		out := admin.Service{
			Name: svc.fullName(), Strategy: c.Strategy, Balance: c.Balance,
			QueueWaiting: svc.Pool().Waiting(), Concurrency: max(0, c.Concurrency), InFlight: svc.Pool().InFlight(),
		}
		workers := svc.roll.shown()
		for _, m := range svc.Pool().Members() {
			e := shownEndpoint(m)
			e.Worker = workers[m.Transport]
			out.Endpoints = append(out.Endpoints, e)
		}
		list = append(list, out)
	}
	return list
}

func shownEndpoint(m *service.Member) admin.Endpoint {
	state := m.State()
	_, idle := m.Transport.Connections()
	e := admin.Endpoint{
		Name: m.Endpoint.Name, URL: m.Endpoint.Address.String(), Weight: m.Weight(),
		Up: state.Condition.Available(), State: stateName(m), Since: clockTime(state.Since),
		InFlight: m.InFlight(), Idle: idle, Concurrency: m.Concurrency(),
		Step: state.Step,
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
type gauges struct{ services *catalog }

// Endpoints implements observe.Source.
func (s gauges) Endpoints(yield func(observe.EndpointStats)) {
	for _, svc := range s.services.list() {
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
	for _, svc := range s.services.list() {
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

// drains lets whoever runs the proxy take an endpoint out of service.
type drains struct{ services *catalog }

// Drain implements admin.Drains.
func (d drains) Drain(service, endpoint string, on bool) bool {
	for _, s := range d.services.list() {
		for _, m := range s.Pool().Members() {
			if s.fullName() == service && m.Endpoint.Name == endpoint {
				s.Pool().Drain(m, on)
				return true
			}
		}
	}
	return false
}
