package pool

import (
	"context"

	"github.com/weirproxy/weir/internal/exchange"
)

// settings are the options, and what follows from them. They are replaced as a
// whole.
type settings[T Transport] struct {
	Options[T]
	rules rules
}

func newSettings[T Transport](o Options[T]) *settings[T] {
	if o.Policy == nil {
		o.Policy = roundRobin
	}
	s := &settings[T]{Options: o, rules: rules{steps: o.Rest.Steps, slowStart: o.SlowStart}}
	if o.Check != nil {
		s.rules.checked, s.rules.rise, s.rules.fall = true, o.Check.Rise, o.Check.Fall
	}
	return s
}

func (p *Pool[T]) options() *Options[T] { return &p.set.Load().Options }

func (p *Pool[T]) rules() *rules { return &p.set.Load().rules }

// Reconfigure has the pool work as o says, from now on. Members keep their state,
// and their requests; health checks begin anew. Who waits in the queue waits as
// long as it was to.
func (p *Pool[T]) Reconfigure(o Options[T]) {
	p.mu.Lock()
	p.set.Store(newSettings(o))
	for _, m := range p.Members() {
		p.uncheckLocked(m)
		p.checkLocked(m)
		p.wakeLocked(m)
	}
	p.publishLocked()
	p.mu.Unlock()
	p.serveQueue()
}

// uncheckLocked ends the health checks of a member, and what they have found.
func (p *Pool[T]) uncheckLocked(m *Member[T]) {
	if m.uncheck == nil {
		return
	}
	m.uncheck()
	m.uncheck = nil
	if p.options().Check != nil {
		return
	}
	s := m.State()
	s.unhealthy, s.passed, s.failed = false, 0, 0
	if s.resting && s.By == ByCheck {
		s.resting, s.Step, s.Until = false, 0, 0
	}
	s = p.rules().settle(s, exchange.Now())
	m.state.Store(&s)
}

// wakeLocked ends a rest, if none lasts any more.
func (p *Pool[T]) wakeLocked(m *Member[T]) {
	if s := m.State(); s.resting && len(p.rules().steps) == 0 {
		s = p.rules().recover(s, exchange.Now())
		m.state.Store(&s)
	}
}

// checkLocked begins the health checks of a member, if there are any.
func (p *Pool[T]) checkLocked(m *Member[T]) {
	if p.options().Check == nil {
		return
	}
	ctx, stop := context.WithCancel(m.ctx)
	m.uncheck = stop
	o := p.options().Check
	p.goLocked(func() { p.watch(ctx, m, o) })
}
