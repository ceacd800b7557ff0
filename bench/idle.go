package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"
)

// settle lets memory be given back before it is read.
const settle = 2 * time.Second

// measureIdle opens connections that do one request each and stay. Every round has a
// fresh proxy, whose memory before is that after a few requests.
func (s *session) measureIdle() (*measurement, error) {
	plan := loadPlan{Conns: s.idleConns, Method: "GET", Path: "/bytes/512", Answer: 512, Idle: true}
	k := kind{name: idleKind, title: fmt.Sprintf("%s idle keep-alive connections", number(float64(s.idleConns))), plan: plan, references: common}
	m := &measurement{kind: k, figures: idleFigures(), peers: s.there(), samples: map[string][]sample{}}
	for round := range s.idleRounds {
		for _, p := range m.peers {
			one, err := s.idleRound(p, plan)
			if err != nil {
				return m, fmt.Errorf("idle, round %d of %s: %w", round+1, p.title, err)
			}
			m.samples[p.name] = append(m.samples[p.name], one)
			fmt.Fprintf(os.Stderr, "idle %d/%d %-8s %6.2f KiB/connection, %.1f MiB\n", round+1, s.idleRounds, p.name, one.PerConn, one.Memory)
		}
	}
	return m, nil
}

func (s *session) idleRound(p peer, plan loadPlan) (sample, error) {
	running, err := s.startProxy(p)
	if err != nil {
		return sample{}, err
	}
	defer running.stop()
	defer running.takeLog()
	plan.Port = running.http
	few := plan
	few.Idle, few.Conns, few.Warmup, few.Duration = false, 16, 100*time.Millisecond, 100*time.Millisecond
	if _, err := s.load(few); err != nil {
		return sample{}, err
	}
	before, err := s.settledMemory(running)
	if err != nil {
		return sample{}, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	generator, err := s.startLoad(plan)
	if err != nil {
		return sample{}, err
	}
	defer generator.stop()
	if _, err := generator.line(ctx); err != nil {
		return sample{}, err
	}
	after, err := s.settledMemory(running)
	if err != nil {
		return sample{}, err
	}
	return sample{
		Share:   math.NaN(),
		PerConn: float64(after-before) / 1024 / float64(plan.Conns),
		Memory:  float64(after) / (1 << 20),
	}, nil
}

func (s *session) settledMemory(p *proxy) (int64, error) {
	select {
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	case <-time.After(settle):
	}
	return residentMemory(p.pids())
}
