package main

import (
	"fmt"
	"time"
)

// profileRound is short enough to show progress, long enough for a steady figure.
const profileRound = 5 * time.Second

// profilePeer loads one proxy with small answers for a while and prints its time a request,
// so that a profiler can be attached to it.
func (s *session) profilePeer(p peer) error {
	running, err := s.startProxy(p)
	if err != nil {
		return err
	}
	defer running.stop()
	fmt.Printf("%s is process %v, on core %d; for instance:\n", p.title, running.pids(), s.proxyCore)
	fmt.Printf("  perf record -g -p %d -- sleep 10 && perf report\n", running.pids()[len(running.pids())-1])
	k := allKinds(s.conns)[0]
	for left := s.profile; left > 0; left -= profileRound {
		plan := k.plan
		plan.Port, plan.Warmup, plan.Duration = running.http, 200*time.Millisecond, min(left, profileRound)
		plan.Rate, plan.Group = s.rate, rateGroup
		s.watch(&plan, running)
		result, err := s.load(plan)
		if err != nil {
			return err
		}
		memory, err := residentMemory(running.pids())
		if err != nil {
			return err
		}
		one := newSample(k, result, memory)
		fmt.Printf("%.2f µs/request, %s requests/s, p99 %.2f ms, %.1f MiB, %d errors\n", one.CPU, number(one.Rate), one.P99, one.Memory, one.Errors.total())
		running.takeLog()
	}
	return nil
}
