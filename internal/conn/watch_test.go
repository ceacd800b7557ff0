package conn

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/quick"
	"time"
)

// register returns a watch and the owner that hears of its end.
func register(d *Watchdog) (*Watch, *owner) {
	o := &owner{ended: make(chan Phase, 64)}
	return d.register(-1, o), o
}

func TestWatch_PacksPhaseGenerationAndDeadlineIntoOneWord(t *testing.T) {
	const ticks = 1 << (64 - tickShift)
	holds := func(old uint64, phase uint8, until uint64) bool {
		p, u := Phase(phase)%(PhaseLinger+1), until%ticks
		word := moved(old, p, u)
		generation := func(w uint64) uint64 { return w & generationMask >> generationShift }
		next := (generation(old) + 1) % (1 << (tickShift - generationShift))
		return phaseOf(word) == p && word>>tickShift == u && generation(word) == next && reasonOf(word) == NotEnded
	}
	if err := quick.Check(holds, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
	if PhaseLinger >= 1<<(generationShift-phaseShift) {
		t.Error("there are more phases than their bits can tell apart")
	}
}

func TestWatch_BeginsNothingOnceEnded(t *testing.T) {
	w, o := register(handWound())
	w.Begin(PhaseAwait, 0)
	if !w.Cancel() {
		t.Fatal("Cancel says that it did nothing")
	}
	if w.Begin(PhaseHold, 0) {
		t.Error("Begin says that an ended connection goes on")
	}
	if w.Ended() != Cancelled || w.EndedPhase() != PhaseAwait {
		t.Errorf("it ended for reason %d in phase %d, want Cancelled while awaiting", w.Ended(), w.EndedPhase())
	}
	if p := soon(t, "the owner is told", o.ended); p != PhaseAwait {
		t.Errorf("the owner is told of phase %d, want the one that ended", p)
	}
}

func TestWatch_ReturnsToThePhaseBeforeAWrite(t *testing.T) {
	w, _ := register(handWound())
	w.Begin(PhaseTunnel, 100*Tick)
	before := w.word.Load()
	was := w.enter(PhaseWrite, Tick)
	if w.Phase() != PhaseWrite {
		t.Errorf("while writing the phase is %d", w.Phase())
	}
	w.back(PhaseWrite, was)
	after := w.word.Load()
	if phaseOf(after) != PhaseTunnel || after>>tickShift != before>>tickShift {
		t.Errorf("after writing it is phase %d until tick %d, want the tunnel until %d", phaseOf(after), after>>tickShift, before>>tickShift)
	}
}

// TestWatch_EndsAWriteWithTheWaitThatItIsPartOf: a peer that takes a byte now and
// then cannot put off the end of the wait for its answer.
func TestWatch_EndsAWriteWithTheWaitThatItIsPartOf(t *testing.T) {
	for _, tc := range []struct {
		why       string
		phase     Phase
		wait      time.Duration
		write     time.Duration
		endsAfter int // ticks; 0 is never
	}{
		{"the wait ends first", PhaseAwait, 10 * Tick, 4 * Tick, 12},
		{"the wait ends first, and the write is without limit", PhaseAwait, 10 * Tick, 0, 12},
		{"the wait is without limit", PhaseAwait, 0, 4 * Tick, 0},
		{"it is part of something else", PhaseTunnel, 10 * Tick, 4 * Tick, 0},
	} {
		d := handWound()
		w, _ := register(d)
		w.Begin(tc.phase, tc.wait)
		was := w.enter(PhaseWrite, tc.write)
		ended := 0
		for tick := 1; tick <= 20 && ended == 0; tick++ {
			d.pass(1)
			w.prolong(PhaseWrite, tc.write, was)
			if w.Ended() == TimedOut {
				ended = tick
			}
		}
		if ended != tc.endsAfter {
			t.Errorf("%s: a write that goes on slowly is ended after %d ticks, want %d (0 is never)", tc.why, ended, tc.endsAfter)
		}
	}
}

func TestWatch_CancelWorksOnceWhoeverCallsIt(t *testing.T) {
	d := handWound()
	for range 200 {
		w, o := register(d)
		w.Begin(PhaseServe, 0)
		var did atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if w.Cancel() {
					did.Add(1)
				}
			})
		}
		wg.Wait()
		if did.Load() != 1 || len(o.ended) != 1 {
			t.Fatalf("%d of four calls ended the connection and its owner was told %d times, want once", did.Load(), len(o.ended))
		}
		w.release()
	}
}

func TestWatch_CancelIdleSparesWhoeverWorks(t *testing.T) {
	w, o := register(handWound())
	w.Begin(PhaseServe, 0)
	if w.CancelIdle() || w.Ended() != NotEnded {
		t.Error("CancelIdle has ended a connection that serves a request")
	}
	w.Begin(PhaseIdle, 0)
	if !w.CancelIdle() || w.Ended() != Cancelled || len(o.ended) != 1 {
		t.Error("CancelIdle has not ended an idle connection")
	}
}

// TestWatch_CancelIdleAndBeginExcludeEachOther: either the request is served, or
// the connection ends before it began.
func TestWatch_CancelIdleAndBeginExcludeEachOther(t *testing.T) {
	d := handWound()
	for range 2000 {
		w, _ := register(d)
		var began, ended bool
		var wg sync.WaitGroup
		wg.Go(func() { began = w.Begin(PhaseServe, 0) })
		wg.Go(func() { ended = w.CancelIdle() })
		wg.Wait()
		if began == ended {
			t.Fatalf("the request began: %t; the idle connection was ended: %t; want one of them", began, ended)
		}
		w.release()
	}
}

func TestWatch_ForgetsWhoHadItBefore(t *testing.T) {
	d := handWound()
	var gone atomic.Bool
	w, first := register(d)
	w.For(&gone)
	w.Begin(PhaseAwait, Tick)
	stale := w.word.Load()
	gone.Store(true)
	w.Gone().Store(true)
	w.release()
	again, second := register(d)
	if again != w {
		t.Fatal("the slot that was given back is not used again")
	}
	again.Begin(PhaseAwait, 0)
	if w.end(stale, TimedOut) {
		t.Error("a look from before has ended the next connection")
	}
	d.pass(10)
	if again.Ended() != NotEnded || again.Gone().Load() || len(first.ended)+len(second.ended) != 0 {
		t.Errorf("the next connection inherits an end (%d) or a client that has left (%t)", again.Ended(), again.Gone().Load())
	}
}

func TestWatch_HasNothingToEndAfterRelease(t *testing.T) {
	w, o := register(handWound())
	w.release()
	w.release()
	if w.Cancel() || w.CancelIdle() || len(o.ended) != 0 {
		t.Error("a watch that was given back has ended something")
	}
}
