package main

import (
	"fmt"
	"os"
)

// measurement is what all rounds of one kind of work showed.
type measurement struct {
	kind
	figures []figure
	peers   []peer
	samples map[string][]sample // by the peer's name, a round each
	cipher  string
	notes   []string
}

// measure interleaves rounds: every proxy's first, then every proxy's second, so that
// whatever drifts on the machine meets them all. A failure ends it; what was measured until
// then is returned with the error.
func (s *session) measure(k kind) (*measurement, error) {
	m := &measurement{kind: k, figures: figuresOf(k), samples: map[string][]sample{}}
	proxies, err := s.startAll(m)
	defer func() {
		for _, p := range proxies {
			p.stop()
		}
	}()
	for round := range s.rounds {
		for _, p := range proxies {
			if err == nil {
				err = s.round(m, p, round)
			}
		}
	}
	if err != nil {
		m.notes = append(m.notes, fmt.Sprintf("**Broken off: %v**", err))
	}
	m.notes = append(m.notes, m.judge()...)
	return m, err
}

// startAll starts the peers afresh, so that one kind of work does not meet the memory of
// another.
func (s *session) startAll(m *measurement) ([]*proxy, error) {
	var proxies []*proxy
	for _, p := range s.contenders(m.kind) {
		running, err := s.startProxy(p)
		if err != nil {
			return proxies, err
		}
		proxies = append(proxies, running)
		m.peers = append(m.peers, p)
		m.notes = append(m.notes, s.unfairness(running)...)
	}
	return proxies, nil
}

func (s *session) round(m *measurement, p *proxy, round int) error {
	plan := m.plan
	plan.Port, plan.Warmup, plan.Duration = p.http, s.warmup, s.duration
	if plan.Secure {
		plan.Port = p.https
	}
	s.watch(&plan, p)
	result, err := s.load(plan)
	if err != nil {
		return fmt.Errorf("%s, round %d of %s: %w", m.name, round+1, p.title, err)
	}
	memory, err := residentMemory(p.pids())
	if err != nil {
		return err
	}
	m.checkLog(p, result)
	one := newSample(m.kind, result, memory)
	m.samples[p.name] = append(m.samples[p.name], one)
	m.cipher = result.Cipher
	if one.Errors.total() > 0 {
		m.notes = append(m.notes, fmt.Sprintf("%s, round %d: %d socket errors, %d answers not 2xx, %d wrong answers; the last: %s",
			p.title, round+1, one.Errors.sockets, one.Errors.statuses, one.Errors.answers, one.Errors.last))
	}
	fmt.Fprintf(os.Stderr, "%s %d/%d %-8s %6.2f µs/request %8.0f/s p99 %.2f ms, cores %.0f%% and %.0f%% busy\n",
		m.name, round+1, s.rounds, p.name, one.CPU, one.Rate, one.P99, one.ProxyBusy*100, one.LoadBusy*100)
	return nil
}

// checkLog notes a proxy that does not do the work of an access log. What its buffers still
// hold is allowed for.
func (m *measurement) checkLog(p *proxy, result *loadResult) {
	const line, buffers = 100, 1 << 20
	written := p.takeLog()
	if !p.noLog && written+buffers < int64(result.Requests)*line {
		m.notes = append(m.notes, fmt.Sprintf("**%s wrote %d bytes of access log for %d requests: it did less work**", p.title, written, result.Requests))
	}
}

// judge says what a reader must know before believing the figures.
func (m *measurement) judge() []string {
	var notes []string
	for _, p := range m.peers {
		share := m.spread(p.name, func(s sample) float64 { return s.Share }).median
		proxyBusy := m.spread(p.name, func(s sample) float64 { return s.ProxyBusy }).median
		loadBusy := m.spread(p.name, func(s sample) float64 { return s.LoadBusy }).median
		loadShare := m.spread(p.name, func(s sample) float64 { return s.LoadShare }).median
		if m.plan.Rate == 0 && share < 0.93 && loadBusy > 0.95 {
			notes = append(notes, fmt.Sprintf("%s: requests/s are limited by the load side: the proxy used %.0f%% of its core", p.title, share*100))
		}
		if proxyBusy-share > 0.08 || loadBusy-loadShare > 0.08 {
			notes = append(notes, fmt.Sprintf("%s: something else ran meanwhile: %.0f%% of the proxy's core and %.0f%% of the load's were not theirs",
				p.title, max(0, proxyBusy-share)*100, max(0, loadBusy-loadShare)*100))
		}
	}
	return notes
}

func (m *measurement) spread(peer string, value func(sample) float64) spread {
	var values []float64
	for _, s := range m.samples[peer] {
		values = append(values, value(s))
	}
	return spreadOf(values)
}

// halfPeak is the rate of the constant-rate round, and whose peak it is half of: nginx's,
// if it was measured.
func (m *measurement) halfPeak() (rate float64, of string) {
	chosen := m.peers[0]
	for _, p := range m.peers {
		if p.name == "nginx" {
			chosen = p
		}
	}
	peak := m.spread(chosen.name, func(s sample) float64 { return s.Rate }).median
	return peak / 2, "half of " + chosen.title + "'s peak"
}
