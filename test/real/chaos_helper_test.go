//go:build real

package real

import (
	"syscall"
	"testing"
	"time"
)

// A helper is a worker that dials in: an endpoint that does so by itself, or one
// with weir attach in front of it.
type helper struct {
	*bookkeeper
	sidecar *process // nil: the endpoint attaches by itself
	wire    *wire
}

// newPair starts an endpoint, and weir attach for it.
func newPair(t *testing.T, router string) *helper {
	t.Helper()
	h := &helper{bookkeeper: newBookkeeper(t), wire: newWire(t, router)}
	h.startSidecar(t)
	t.Cleanup(func() { h.sidecar.stop(syscall.SIGKILL) })
	return h
}

func (h *helper) startSidecar(t *testing.T) {
	t.Helper()
	p, err := launch(weirBinary, "attach", "--to", h.wire.address, "--instance", h.name, "http://"+h.address)
	if err != nil {
		t.Fatalf("start weir attach for %s: %v", h.name, err)
	}
	h.sidecar = p
	p.await(t, "attached to", 1)
}

// newLoner starts an endpoint that attaches by itself.
func newLoner(t *testing.T, router string) *helper {
	t.Helper()
	w := newWire(t, router)
	return &helper{bookkeeper: newDialingBookkeeper(t, "loner", w.address, 0), wire: w}
}

// newVisitor starts an endpoint that attaches by itself, and is another instance
// each time.
func newVisitor(t *testing.T, router string) *helper {
	t.Helper()
	return &helper{bookkeeper: newDialingBookkeeper(t, "visitor", router, 1)}
}

// worker is the process that is attached.
func (h *helper) worker() *process {
	if h.sidecar != nil {
		return h.sidecar
	}
	return h.process
}

// revive starts the process that is attached.
func (h *helper) revive(t *testing.T) {
	t.Helper()
	if h.sidecar != nil {
		h.startSidecar(t)
	} else {
		h.start(t)
	}
}

// send returns what sends a signal to the process that is attached.
func (h *helper) send(s syscall.Signal) func(*testing.T) {
	return func(t *testing.T) {
		if err := syscall.Kill(h.worker().pid(), s); err != nil {
			t.Fatalf("%v to the worker %s: %v", s, h.name, err)
		}
	}
}

func (h *helper) kill(*testing.T) { h.worker().stop(syscall.SIGKILL) }

// killAll kills both processes, of which one is not told what the other was.
func (h *helper) killAll(t *testing.T) {
	h.kill(t)
	h.die(t)
}

func (h *helper) reviveAll(t *testing.T) {
	h.start(t)
	h.startSidecar(t)
}

// comeBack waits for a worker that takes its leave, and starts it again.
func (h *helper) comeBack(t *testing.T) {
	t.Helper()
	h.endWell(t)
	h.revive(t)
}

// endWell waits for a worker that takes its leave to end, which has to be a good
// end.
func (h *helper) endWell(t *testing.T) {
	t.Helper()
	p := h.worker()
	select {
	case <-p.done:
	case <-time.After(30*time.Second + patience): // its shutdown timeout
		t.Errorf("the worker %s does not end after SIGTERM:\n%q", h.name, p.lines())
		p.stop(syscall.SIGKILL)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the worker %s ends with exit code %d after SIGTERM, want 0:\n%q", h.name, code, p.lines())
	}
}

// A harshness is how helpers are treated.
type harshness int

const (
	gentle harshness = iota // they are only asked to leave
	brisk                   // what is done to them is over in a few seconds
	harsh                   // it may take longer than connections live without a sign
)

// frozen is how long nothing is heard of a helper, at most.
func (h harshness) frozen() time.Duration {
	if h == harsh {
		return 40 * time.Second
	}
	return 4 * time.Second
}

// victim is h with all that can be done to it.
func (h *helper) victim(how harshness) *victim {
	v := &victim{name: h.name, harms: []harm{
		{name: "leave", weight: 6, gentle: true, least: 10 * time.Millisecond, most: time.Second, do: h.send(syscall.SIGTERM), undo: h.comeBack},
	}}
	if how == gentle {
		return v
	}
	nothing := func(*testing.T) {}
	v.harms = append(v.harms,
		harm{name: "kill the worker", weight: 4, do: h.kill, undo: h.revive},
		harm{name: "freeze the worker", weight: 1, useless: true, least: time.Second, most: how.frozen(), do: h.send(syscall.SIGSTOP), undo: h.send(syscall.SIGCONT)},
		harm{name: "cut", weight: 3, least: time.Millisecond, most: time.Second, do: h.wire.cut, undo: nothing},
		harm{name: "hang up", weight: 2, least: time.Millisecond, most: time.Second, do: h.wire.hangUp, undo: nothing},
		harm{name: "halt", weight: 1, useless: true, least: 100 * time.Millisecond, most: how.frozen(), do: h.wire.halt, undo: h.wire.flow},
	)
	if h.sidecar == nil {
		v.harms = append(v.harms, harm{
			name: "snubs", weight: 2, useless: true,
			do:   func(t *testing.T) { h.behave(t, "snubs") },
			undo: func(t *testing.T) { h.behave(t, "") },
		})
		return v
	}
	v.harms = append(v.harms,
		harm{name: "kill the endpoint", weight: 3, useless: true, do: h.die, undo: h.start},
		harm{name: "kill both", weight: 2, do: h.killAll, undo: h.reviveAll},
		harm{name: "freeze the endpoint", weight: 1, useless: true, do: h.signalled(syscall.SIGSTOP), undo: h.signalled(syscall.SIGCONT)},
	)
	v.harms = append(v.harms, h.manners()...)
	return v
}

// guest is a visitor, with what is done to it: it is gone in a moment, and another
// one comes.
func (h *helper) guest(how harshness) *victim {
	v := &victim{name: h.name, brief: true, harms: []harm{
		{name: "leave", weight: 1, gentle: true, least: 10 * time.Millisecond, most: 500 * time.Millisecond, do: h.send(syscall.SIGTERM), undo: h.comeBack},
	}}
	if how != gentle {
		v.harms = append(v.harms, harm{name: "vanish", weight: 1, least: 10 * time.Millisecond, most: 500 * time.Millisecond, do: h.kill, undo: h.revive})
	}
	return v
}

// startRefuser starts a worker that takes no request.
func startRefuser(t *testing.T, router string) {
	t.Helper()
	start(t, chaosBinary, "-refuse", "-attach", router, "-instance", "refuser").await(t, "attached to", 1)
}
