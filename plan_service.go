package weir

import (
	"context"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/service"
	"github.com/weirproxy/weir/internal/transport"
)

// This file says in the terms of the path what a configuration says of a service.
// The configuration is valid: what it names can be looked up.

var strategies = map[string]service.Strategy{
	"single":   service.Single,
	"failover": service.Failover,
	"fanout":   service.Fanout,
	"hedge":    service.Hedge,
}

// policyName returns the policy by which a service's endpoints are chosen.
// Strategies that go by the order in which the endpoints are written use that.
func policyName(c config.Service) string {
	switch c.Strategy {
	case "failover", "fanout":
		return "first"
	default:
		return c.Balance
	}
}

// A choice is how one of several endpoints is chosen.
type choice struct {
	policy balance.Policy
	// placed: requests are placed by a part of them. measured: the latency of
	// endpoints counts.
	placed, measured bool
}

func (p *Proxy) choiceOf(service string, c config.Service) choice {
	name := policyName(c)
	if own := p.policies[service]; own != nil && name == c.Balance {
		return choice{policy: own, placed: c.HashOn != "", measured: true}
	}
	policy, _ := balance.Named(name)
	return choice{policy: policy, placed: name == "hash" || name == "maglev", measured: name == "least_load"}
}

func poolOptions(p *Proxy, key serviceKey, c config.Service) pool.Options[service.Transport] {
	by := p.choiceOf(key.name, c)
	o := pool.Options[service.Transport]{
		Service:      key.String(),
		Policy:       by.policy,
		Placed:       by.placed,
		Measured:     by.measured,
		Concurrency:  max(0, c.Concurrency),
		Queue:        pool.QueueOptions{Size: max(0, c.Queue.Size), Timeout: c.Queue.Timeout.Std()},
		Rest:         restOptions(c.Backpressure),
		SlowStart:    max(0, c.SlowStart.Std()),
		ProbeTimeout: c.Timeouts.Connect.Std(),
		Log:          p.log,
		Changed:      p.endpointChanged,
	}
	if c.Health != nil {
		o.Check = checkOptions(c.Health)
	}
	if p.failures != nil {
		o.SetBack = func(m *service.Member, b pool.Setback) { p.endpointFailed(o.Service, m, b) }
	}
	return o
}

func restOptions(b config.Backpressure) pool.RestOptions {
	o := pool.RestOptions{Pause: b.Mode == "pause", MaxEjected: b.MaxEjected.Of(1), Panic: b.Panic.Of(1)}
	if b.Off {
		return o
	}
	for _, step := range b.Steps {
		o.Steps = append(o.Steps, step.Std())
	}
	return o
}

func checkOptions(h *config.Health) *pool.CheckOptions[service.Transport] {
	expected := conditions(h.Expect).Statuses
	check := transport.Check{Path: h.Path, Expect: func(status int) bool { return expected.Has(status) }}
	return &pool.CheckOptions[service.Transport]{
		Check:    func(ctx context.Context, t service.Transport) error { return t.Check(ctx, check) },
		Interval: h.Interval.Std(),
		Timeout:  h.Timeout.Std(),
		Rise:     h.Rise,
		Fall:     h.Fall,
	}
}

func serviceOptions(p *Proxy, key serviceKey, c config.Service, members *service.Pool) service.Options {
	name, by := key.String(), p.choiceOf(key.name, c)
	o := service.Options{
		Name:          name,
		Pool:          members,
		Strategy:      strategies[c.Strategy],
		Usable:        conditions(c.Usable).Statuses,
		NonIdempotent: c.NonIdempotent,
		Retry:         retryOptions(c.Retry),
		Hedge:         hedging(c),
		Slow:          max(0, c.Backpressure.Slow.Std()),
		Measured:      by.measured,
		Request:       max(0, c.Timeouts.Request.Std()),
		Write:         c.Timeouts.Write.Std(),
		Tunnel:        max(0, c.Timeouts.Tunnel.Std()),
		Problems:      p.problems(),
	}
	o.Failing = conditions(c.Backpressure.Failures) // counted also when nobody rests for it
	if by.placed {
		o.Place = p.selector(c.HashOn)
	}
	if text := c.Usable.Expression(); text != "" {
		o.UsableIf = p.usableIf(text)
	}
	if s := c.Sticky; s != nil {
		o.Sticky = service.NewSticky(name, members, s.Cookie, p.stickySecret(s.Secret), max(0, s.MaxAge.Std()))
	}
	return o
}

func retryOptions(r config.Retry) service.Retry {
	return service.Retry{
		Attempts:       r.Attempts,
		On:             conditions(r.On),
		PerTry:         max(0, r.PerTry.Std()),
		Budget:         service.Budget{Ratio: r.Budget.Of(1), Floor: max(0, r.BudgetFloor)},
		Buffer:         max(0, int(r.Buffer)),
		Reject:         r.OverBuffer == "reject",
		IdempotencyKey: r.IdempotencyKey,
	}
}

// hedging uses the retries' floor: without one, a service that gets few requests
// would never hedge. A budget of nothing is nothing.
func hedging(c config.Service) service.Hedging {
	floor := max(0, c.Retry.BudgetFloor)
	if c.Hedge.Budget <= 0 {
		floor = 0
	}
	return service.Hedging{
		After:      c.Hedge.After.Fixed.Std(),
		Percentile: c.Hedge.After.Percentile,
		Max:        c.Hedge.Max,
		Budget:     service.Budget{Ratio: c.Hedge.Budget.Of(1), Floor: floor},
	}
}

func conditions(list []string) service.Conditions {
	names, statuses, _ := config.StatusSet(list)
	var c service.Conditions
	copy(c.Statuses[:], statuses)
	for _, name := range names {
		switch name {
		case "connect":
			c.Connect = true
		case "reset":
			c.Reset = true
		case "timeout":
			c.Timeout = true
		}
	}
	return c
}

var selectorKinds = map[config.SelectorKind]service.SelectorKind{
	config.SelectHeader: service.SelectHeader,
	config.SelectCookie: service.SelectCookie,
	config.SelectQuery:  service.SelectQuery,
	config.SelectPath:   service.SelectPath,
	config.SelectHost:   service.SelectHost,
	config.SelectClient: service.SelectClient,
}

// selector returns what requests are placed by: plain parts of them without any
// evaluation, and the value of an expression else.
func (p *Proxy) selector(text string) service.Selector {
	s, err := config.ParseSelector(text)
	if err != nil {
		return service.Selector{Kind: service.SelectComputed, Compute: p.computed(text)}
	}
	return service.Selector{Kind: selectorKinds[s.Kind], Name: s.Name}
}

// stickySecret is what cookies are signed with: as configured, or else random
// bytes that live as long as the proxy.
func (p *Proxy) stickySecret(configured string) []byte {
	if configured != "" {
		return []byte(configured)
	}
	return p.secret
}

// endpointChanged passes a change of an endpoint's condition on to whoever
// listens.
func (p *Proxy) endpointChanged(c pool.Change) {
	e := observe.Event{
		Time: time.Now(), Type: "endpoint_state",
		Service: c.Service, Endpoint: c.Endpoint, From: c.From.String(), To: c.To.String(),
	}
	if c.Err != nil {
		e.Reason = c.Err.Error()
	}
	p.events.Publish(e)
}
