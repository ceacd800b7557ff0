package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// syscallCount is a line of strace's summary.
type syscallCount struct {
	name          string
	calls, failed int
}

// syscallGroups tells apart what moves bytes, what waits for them, and what wakes threads.
var syscallGroups = []struct {
	title string
	names []string
}{
	{"socket", []string{
		"read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "send", "sendto", "sendmsg", "sendmmsg",
		"splice", "sendfile", "connect", "accept", "accept4", "close", "shutdown", "getsockopt", "setsockopt",
	}},
	{"epoll", []string{"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll"}},
	{"futex", []string{"futex"}},
}

// countSyscalls runs a peer under strace while it serves 64 connections, and prints its
// system calls per request. The load waits until strace is attached and ends when every
// answer is in, so that the count of requests is exact.
func (s *session) countSyscalls(p peer) error {
	running, err := s.startProxy(p)
	if err != nil {
		return err
	}
	defer running.stop()
	plan := allKinds(64)[0].plan
	plan.Port, plan.Warmup, plan.Duration, plan.Hold = running.http, s.warmup, s.duration, true
	plan.Rate, plan.Group = s.rate, rateGroup
	ctx, cancel := context.WithTimeout(s.ctx, s.warmup+s.duration+time.Minute)
	defer cancel()
	generator, err := s.startLoad(plan)
	if err != nil {
		return err
	}
	defer generator.stop()
	if _, err := generator.line(ctx); err != nil {
		return err
	}
	tracer, err := s.attachTracer(ctx, running.pids())
	if err != nil {
		return err
	}
	defer tracer.kill()
	if _, err := generator.stdin.Write([]byte("\n")); err != nil {
		return err
	}
	result, err := loadOutcome(ctx, generator)
	if err != nil {
		return err
	}
	counts, err := tracer.summary(ctx)
	if err != nil {
		return err
	}
	fmt.Print(describeSyscalls(p.name, counts, result))
	return nil
}

// tracer is strace, attached.
type tracer struct {
	cmd    *exec.Cmd
	output string
	exited chan struct{}
}

func (s *session) attachTracer(ctx context.Context, pids []int) (*tracer, error) {
	t := &tracer{output: s.path("strace.out"), exited: make(chan struct{})}
	args := []string{"-c", "-f", "-o", t.output}
	for _, pid := range pids {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	t.cmd = exec.CommandContext(ctx, "strace", args...)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t.cmd.Stderr = write
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start strace: %w", err)
	}
	_ = write.Close()
	go func() {
		_ = t.cmd.Wait() // it repeats the signal that ended it
		close(t.exited)
	}()
	said := bufio.NewScanner(read)
	for attached := 0; attached < len(pids); {
		if !said.Scan() {
			return nil, errors.New("strace ended before it was attached: may it trace here?")
		}
		if strings.Contains(said.Text(), " attached") {
			attached++
		}
	}
	go func() { // never let it block on what it has to say
		for said.Scan() {
		}
		_ = read.Close()
	}()
	return t, nil
}

func (t *tracer) kill() {
	_ = t.cmd.Process.Kill()
	<-t.exited
}

func (t *tracer) summary(ctx context.Context) ([]syscallCount, error) {
	if err := t.cmd.Process.Signal(unix.SIGINT); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.exited:
	}
	data, err := os.ReadFile(t.output)
	if err != nil {
		return nil, err
	}
	return parseSummary(string(data)), nil
}

// parseSummary reads the table of strace -c: % time, seconds, usecs/call, calls, errors
// (may be blank), syscall.
func parseSummary(text string) []syscallCount {
	var counts []syscallCount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[len(fields)-1] == "total" {
			continue
		}
		calls, err := strconv.Atoi(fields[3])
		if err != nil {
			continue // the heading, or a rule
		}
		one := syscallCount{name: fields[len(fields)-1], calls: calls}
		if len(fields) > 5 {
			one.failed, _ = strconv.Atoi(fields[4])
		}
		counts = append(counts, one)
	}
	return counts
}

// describeSyscalls prints a line for each group, the first one being what a test looks at:
//
//	weir: 4.04 socket system calls per request (read 2.02, write 2.02), 0.00 failed
func describeSyscalls(peer string, counts []syscallCount, result *loadResult) string {
	var b strings.Builder
	requests := float64(result.Requests)
	rest := slices.Clone(counts)
	for _, group := range syscallGroups {
		var inside []syscallCount
		rest = slices.DeleteFunc(rest, func(c syscallCount) bool {
			if slices.Contains(group.names, c.name) {
				inside = append(inside, c)
				return true
			}
			return false
		})
		b.WriteString(describeGroup(peer, group.title, inside, requests))
	}
	b.WriteString(describeGroup(peer, "other", rest, requests))
	fmt.Fprintf(&b, "%s: %d requests, %d errors\n", peer, result.Requests, result.errors())
	return b.String()
}

func describeGroup(peer, title string, counts []syscallCount, requests float64) string {
	calls, failed := 0, 0
	var parts []string
	slices.SortFunc(counts, func(a, b syscallCount) int { return b.calls - a.calls })
	for _, c := range counts {
		calls, failed = calls+c.calls, failed+c.failed
		if float64(c.calls)/requests >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f", c.name, float64(c.calls)/requests))
		}
	}
	list := ""
	if len(parts) > 0 {
		list = " (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%s: %.2f %s system calls per request%s, %.2f failed\n", peer, float64(calls)/requests, title, list, float64(failed)/requests)
}
