package pool

import (
	"log/slog"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// Failed tells that the request of g failed in a way that counts: the member
// rests, if it may.
func (p *Pool[T]) Failed(g *Grant[T], b Setback) {
	g.Member.failures.Add(1)
	if p.options().SetBack != nil {
		p.options().SetBack(g.Member, b)
	}
	if len(p.rules().steps) == 0 {
		p.unprobe(g)
		return
	}
	p.change(g.Member, func(s State, now time.Duration) State {
		if !s.resting && !b.Unreachable && !p.mayRestLocked() {
			return s
		}
		return p.rules().setBack(s, now, b, g.Probe)
	})
	p.unprobe(g)
}

// Succeeded tells that the member answered the request of g properly.
func (p *Pool[T]) Succeeded(g *Grant[T]) {
	if !g.Probe {
		return
	}
	p.change(g.Member, p.rules().recover)
	p.unprobe(g)
}

// unprobe lets another request find out, if g was to and has not.
func (p *Pool[T]) unprobe(g *Grant[T]) {
	if g.Probe {
		g.Probe = false
		g.Member.probing.Store(false)
	}
}

// mayRestLocked reports whether one more member may rest.
func (p *Pool[T]) mayRestLocked() bool {
	resting := 0
	for _, m := range p.Members() {
		if m.state.Load().resting {
			resting++
		}
	}
	return float64(resting+1) <= p.options().Rest.MaxEjected*float64(len(p.Members()))
}

// change gives a member its next state, and does what follows from that.
func (p *Pool[T]) change(m *Member[T], next func(State, time.Duration) State) {
	p.mu.Lock()
	old := m.State()
	s := next(old, exchange.Now())
	m.state.Store(&s)
	if s.Condition != old.Condition || s.By != old.By || s.Unreachable != old.Unreachable {
		p.publishLocked()
	}
	if s.Step > old.Step {
		m.rests.Add(1)
		select {
		case m.rested <- struct{}{}:
		default:
		}
	}
	if s.resting && s.By.dials() && !(old.resting && old.By.dials()) {
		p.goLocked(func() { p.redial(m) })
	}
	if s.warm != 0 && old.warm == 0 {
		p.goLocked(func() { p.warmUp(m, s.warm) })
	}
	if s.Condition != old.Condition {
		p.announce(m, old.Condition, s)
	}
	p.mu.Unlock()
	p.serveQueue()
}

func (p *Pool[T]) announce(m *Member[T], from Condition, s State) {
	if p.options().Changed != nil {
		p.options().Changed(Change{Service: p.options().Service, Endpoint: m.Endpoint.Name, From: from, To: s.Condition, Err: s.Err})
	}
	if p.options().Log == nil {
		return
	}
	level := slog.LevelInfo
	args := []any{"service", p.options().Service, "endpoint", m.Endpoint.Name}
	if s.Condition == Resting {
		args = append(args, "step", s.Step, "for", s.Until-s.Since)
	}
	if s.Err != nil {
		level = slog.LevelWarn
		args = append(args, "error", s.Err)
	}
	p.options().Log.Log(p.ctx, level, "endpoint "+s.Condition.String(), args...)
}
