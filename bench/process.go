package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program started for the run, with a session of its own: its workers can be
// ended with it, and an interrupt at the terminal reaches only the bench.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	exited chan struct{}
	err    error // once exited is closed
}

// command says what to start, and where.
type command struct {
	name   string
	path   string
	args   []string
	core   int    // to be pinned to
	nice   int    // priority, 0 being that of everything else
	output string // file that standard output goes to; a pipe if empty
	errors string // file that standard error goes to
}

// startMutex guards the affinity of the thread that starts processes.
var startMutex sync.Mutex

// start runs a program on its core. The program is born under the mask, so that it counts
// one CPU from its first moment (GOMAXPROCS, nginx's auto). It dies with the bench, because
// main locked this goroutine to the main thread.
func start(c command) (*process, error) {
	p := &process{name: c.name, cmd: exec.Command(c.path, c.args...), exited: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.attach(c); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	if err := p.startOn(c.core, c.nice); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) attach(c command) error {
	if c.errors == "" {
		p.cmd.Stderr = os.Stderr
	} else {
		file, err := openLog(c.errors)
		if err != nil {
			return err
		}
		p.cmd.Stderr = file
	}
	if c.output != "" {
		file, err := openLog(c.output)
		p.cmd.Stdout = file
		return err
	}
	// A pipe of our own: Wait would close cmd.StdoutPipe before all of it is read.
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stdout, p.stdout = write, bufio.NewReader(read)
	p.stdin, err = p.cmd.StdinPipe()
	return err
}

func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o644)
}

func (p *process) startOn(core, nice int) error {
	startMutex.Lock()
	defer startMutex.Unlock()
	var mask, mine unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		return err
	}
	mask.Set(core)
	if err := unix.SchedSetaffinity(0, &mask); err != nil {
		return err
	}
	err := startWith(p.cmd, nice)
	for _, file := range []io.Writer{p.cmd.Stdout, p.cmd.Stderr} {
		if file, ok := file.(*os.File); ok && file != os.Stderr {
			_ = file.Close() // the child's copy stays open
		}
	}
	return errors.Join(err, unix.SchedSetaffinity(0, &mine))
}

// startWith starts a command that is born with a priority. Where the kernel groups processes
// by session, their nice values say nothing outside of it, and the group's own has to be
// set (sched(7), autogroup).
func startWith(cmd *exec.Cmd, nice int) error {
	if nice == 0 {
		return cmd.Start()
	}
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 minus the nice value
	if err != nil {
		return err
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, nice); err != nil {
		return fmt.Errorf("raise the priority: %w", err)
	}
	err = cmd.Start()
	if err == nil {
		group := fmt.Sprintf("/proc/%d/autogroup", cmd.Process.Pid)
		_ = os.WriteFile(group, []byte(strconv.Itoa(nice)), 0) // absent on many systems
	}
	return errors.Join(err, unix.Setpriority(unix.PRIO_PROCESS, 0, 20-raw))
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// line reads a line of standard output, and fails when the process or the context ends.
func (p *process) line(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := p.stdout.ReadString('\n')
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("wait for %s: %w", p.name, context.Cause(ctx))
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("%s ended early", p.name)
		}
		return a.text, nil
	}
}

// stop ends the process and its group: kindly, so that masters end their workers, then
// without appeal.
func (p *process) stop() {
	if p == nil {
		return
	}
	_ = unix.Kill(p.pid(), unix.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(2 * time.Second):
	}
	_ = unix.Kill(-p.pid(), unix.SIGKILL)
	<-p.exited
}
