package conn

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchdog_EndsAPhaseThatLastsTooLong(t *testing.T) {
	d := handWound()
	w, o := register(d)
	w.Begin(PhaseBody, 10*Tick)
	d.pass(10)
	if w.Ended() != NotEnded {
		t.Fatal("the phase was ended before its time")
	}
	d.pass(2)
	if w.Ended() != TimedOut || w.EndedPhase() != PhaseBody || len(o.ended) != 1 {
		t.Errorf("two ticks late it is ended for reason %d in phase %d", w.Ended(), w.EndedPhase())
	}
	d.pass(100)
	if len(o.ended) != 1 {
		t.Errorf("the owner was told %d times", len(o.ended))
	}
}

func TestWatchdog_LeavesPhasesWithoutLimitAlone(t *testing.T) {
	d := handWound()
	w, _ := register(d)
	w.Begin(PhaseTunnel, 0)
	d.pass(1 << 20)
	if w.Ended() != NotEnded {
		t.Error("a phase without limit was ended")
	}
}

func TestWatchdog_CountsEveryPhaseFromItsOwnBeginning(t *testing.T) {
	d := handWound()
	w, _ := register(d)
	for range 20 {
		w.Begin(PhaseBody, 10*Tick)
		d.pass(9)
	}
	if w.Ended() != NotEnded {
		t.Error("a connection that went on in time was ended")
	}
}

// TestWatchdog_EndsOnlyThePhaseItSaw has a connection change between a phase
// that is always overdue and one without limit, while sweeps go on. Only the
// first may ever be the one that ends.
func TestWatchdog_EndsOnlyThePhaseItSaw(t *testing.T) {
	d := handWound()
	var stop atomic.Bool
	var sweeping, working sync.WaitGroup
	sweeping.Go(func() {
		for !stop.Load() {
			d.pass(3)
		}
	})
	for range 4 {
		working.Go(func() {
			for range 40 {
				w, o := register(d)
				for w.Begin(PhaseServe, 0) && w.Begin(PhaseHead, Tick) {
				}
				if w.EndedPhase() != PhaseHead || w.Ended() != TimedOut {
					t.Errorf("phase %d ended for reason %d, want the one with a limit to time out", w.EndedPhase(), w.Ended())
				}
				if p := soon(t, "the owner is told", o.ended); p != PhaseHead {
					t.Errorf("the owner was told of phase %d", p)
				}
				w.release()
			}
		})
	}
	working.Wait()
	stop.Store(true)
	sweeping.Wait()
}

func TestWatchdog_CancelsWhatIsDoneForAClientThatHasLeft(t *testing.T) {
	d := handWound()
	var gone atomic.Bool
	busy, told := register(d)
	busy.For(&gone)
	busy.Begin(PhaseAwait, 0)
	idle, _ := register(d)
	idle.For(&gone) // from its last request
	d.pass(2)
	if busy.Ended() != NotEnded {
		t.Fatal("the work for a client that is there was ended")
	}
	gone.Store(true)
	d.pass(1)
	if busy.Ended() != ClientGone || len(told.ended) != 1 {
		t.Errorf("the work for a client that has left goes on (%d)", busy.Ended())
	}
	if idle.Ended() != NotEnded {
		t.Error("an idle connection was ended because a client has left that it once served")
	}
}

func TestWatchdog_WatchesManyAndUsesSlotsAgain(t *testing.T) {
	d := handWound()
	var watches []*Watch
	for range 3 * slabSize {
		w, _ := register(d)
		w.Begin(PhaseHead, Tick)
		watches = append(watches, w)
	}
	d.pass(5)
	for i, w := range watches {
		if w.Ended() != TimedOut {
			t.Fatalf("connection %d of %d was not ended", i, len(watches))
		}
		w.release()
	}
	for range 3 * slabSize {
		register(d)
	}
	if len(d.slabs) != 3 || d.live != 3*slabSize {
		t.Errorf("there are %d slabs for %d connections, want 3", len(d.slabs), d.live)
	}
}

func TestWatchdog_MeetsDeadlinesWithinTwoTicks(t *testing.T) {
	for _, limit := range []time.Duration{Tick, 2 * Tick, 10 * Tick, time.Minute} {
		for _, offset := range []time.Duration{0, 1, Tick / 3, Tick - 1, Tick, 7*Tick + Tick/2} {
			synctest.Test(t, func(t *testing.T) {
				c, peer, o := wirings[2].open(t)
				time.Sleep(offset)
				began := time.Now()
				c.Watch().Begin(PhaseBody, limit)
				if _, err := c.Read(make([]byte, 8)); err == nil {
					t.Fatal("Read has returned without anything to read")
				}
				if took := time.Since(began); took < limit || took > limit+2*Tick {
					t.Errorf("a limit of %v that begins %v after the connection is met after %v, want within two ticks", limit, offset, took)
				}
				if len(o.ended) != 1 {
					t.Errorf("the owner was told %d times", len(o.ended))
				}
				_ = c.Close()
				_ = peer.Close()
				time.Sleep(2 * Tick) // until the watchdog rests
			})
		}
	}
}

// TestWatchdog_RestsWithoutConnections: a bubble does not end while a goroutine
// of it does not.
func TestWatchdog_RestsWithoutConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dog := new(Watchdog)
		for range 3 {
			a, b := net.Pipe()
			c := New(a, dog, &owner{ended: make(chan Phase, 1)})
			time.Sleep(10 * Tick)
			_ = c.Close()
			_ = b.Close()
			time.Sleep(2 * Tick)
			synctest.Wait()
			dog.mu.Lock()
			if dog.running {
				t.Error("the watchdog runs on, two ticks after the last connection was closed")
			}
			dog.mu.Unlock()
		}
	})
}

func TestWatchdog_DoesNotRunTwiceWhenConnectionsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dog := new(Watchdog)
		for range 50 {
			a, b := net.Pipe()
			c := New(a, dog, &owner{ended: make(chan Phase, 1)})
			time.Sleep(Tick / 3)
			_ = c.Close()
			_ = b.Close()
		}
		time.Sleep(2 * Tick)
	})
}
