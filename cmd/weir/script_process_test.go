package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// soon is how long anything may take that is to happen. It is only ever used up
// by a test that fails.
const soon = 20 * time.Second

// poll calls done until it returns nil, and gives up after a while.
func poll(done func() error) error {
	deadline := time.Now().Add(soon)
	for {
		err := done()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A child is a process that a script started.
type child struct {
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has
	stderr string        // the file
}

// greeted matches the end of what weir run says when it has started.
var greeted = regexp.MustCompile(`(?m)^(try: .*|.*: weir demo|    weir demo)$`)

var (
	listening = regexp.MustCompile(`(?m)^listening on (\S+) `)
	attaching = regexp.MustCompile(`(?m)^workers attach on (\S+)$`)
	adminOn   = regexp.MustCompile(`(?m)^admin page, .* on http://(\S+)/$`)
)

func start(ts *testscript.TestScript, args []string) error {
	stdout, err := os.Create(ts.MkAbs(args[0] + ".out"))
	if err != nil {
		return err
	}
	defer stdout.Close()
	return startInto(ts, stdout, args)
}

func unread(ts *testscript.TestScript, args []string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	r.Close()
	return startInto(ts, w, args)
}

// startInto starts a process that writes to stdout.
func startInto(ts *testscript.TestScript, stdout *os.File, args []string) error {
	name := args[0]
	c := &child{ended: make(chan struct{}), stderr: ts.MkAbs(name + ".err")}
	if err := c.start(ts, stdout, args[1:]); err != nil {
		return err
	}
	ts.Defer(func() {
		_ = c.cmd.Process.Kill() // it may have ended
		<-c.ended
	})
	stageOf(ts).processes[name] = c
	said, err := c.greeting()
	if err != nil {
		return err
	}
	ts.Setenv(name, found(listening, said))
	ts.Setenv(name+"_ATTACH", found(attaching, said))
	ts.Setenv(name+"_ADMIN", found(adminOn, said))
	return nil
}

func (c *child) start(ts *testscript.TestScript, stdout *os.File, args []string) error {
	program, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	c.cmd = exec.Command(program, args[1:]...)
	c.cmd.Dir = ts.MkAbs(".")
	c.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+ts.Getenv("NOTIFY_SOCKET"), "GORACE="+hurry)
	for name := range stageOf(ts).endpoints {
		c.cmd.Env = append(c.cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := os.Create(c.stderr)
	if err != nil {
		return err
	}
	defer stderr.Close()
	c.cmd.Stdout, c.cmd.Stderr = stdout, stderr
	if err := c.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = c.cmd.Wait() // finish looks at its state
		close(c.ended)
	}()
	return nil
}

// greeting waits until the process has said where it listens.
func (c *child) greeting() (said string, err error) {
	err = poll(func() error {
		text, err := os.ReadFile(c.stderr)
		said = string(text)
		if err == nil && !greeted.Match(text) {
			err = fmt.Errorf("it has not started; it said\n%s", said)
		}
		return err
	})
	return said, err
}

func found(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func (s *stage) process(name string) (*child, error) {
	if c := s.processes[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no process %s was started", name)
}

var signals = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1,
}

func sendSignal(ts *testscript.TestScript, args []string) error {
	c, err := stageOf(ts).process(args[0])
	if err != nil {
		return err
	}
	return c.cmd.Process.Signal(signals[args[1]])
}

func finish(ts *testscript.TestScript, args []string) error {
	c, err := stageOf(ts).process(args[0])
	if err != nil {
		return err
	}
	select {
	case <-c.ended:
	case <-time.After(soon):
		return errors.New("it does not end")
	}
	if code := strconv.Itoa(c.cmd.ProcessState.ExitCode()); code != args[1] {
		return fmt.Errorf("exit code %s, want %s; it said\n%s", code, args[1], ts.ReadFile(c.stderr))
	}
	return nil
}

func fails(ts *testscript.TestScript, args []string) error {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		return err
	}
	if got := strconv.Itoa(code); got != args[0] {
		return fmt.Errorf("exit code %s, want %s", got, args[0])
	}
	return nil
}

func await(ts *testscript.TestScript, args []string) error {
	pattern, err := regexp.Compile("(?m)" + args[1])
	if err != nil {
		return err
	}
	return poll(func() error {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && !pattern.Match(text) {
			err = fmt.Errorf("%s has no line that matches %s:\n%s", args[0], args[1], text)
		}
		return err
	})
}
