package pool

import (
	"errors"
	"testing"
	"time"
)

var errReset = errors.New("connection reset")

const ms = time.Millisecond

var ladder = rules{steps: []time.Duration{100 * ms, 500 * ms, time.Second}, rise: 2, fall: 3}

// reset and refused are what goes wrong in these tests.
var (
	reset   = Setback{Err: errReset}
	refused = Setback{Err: errRefused, Unreachable: true}
	silent  = Setback{Err: errReset, Silent: true}
)

func TestRules_RestLongerAfterEachFailedProbe(t *testing.T) {
	s, now := State{}, time.Hour
	for i, want := range []time.Duration{100 * ms, 500 * ms, time.Second, time.Second} {
		s = ladder.setBack(s, now, reset, i > 0)
		if s.Condition != Resting || s.Step != i+1 || s.Until-now != want {
			t.Fatalf("after setback %d: %v, step %d, for %v; want resting, step %d, for %v", i+1, s.Condition, s.Step, s.Until-now, i+1, want)
		}
		now = s.Until
	}
}

func TestRules_BeginAgainAfterSuccess(t *testing.T) {
	s := ladder.setBack(State{}, 1, reset, false)
	s = ladder.setBack(s, 2, reset, true)
	s = ladder.recover(s, 3)
	if s.Condition != Up || s.Step != 0 || s.Err != nil || s.Since != 3 {
		t.Fatalf("after a probe that went well the state is %+v, want up since 3", s)
	}
	if s = ladder.setBack(s, 4, reset, false); s.Step != 1 {
		t.Errorf("the next rest is step %d, want 1", s.Step)
	}
}

func TestRules_HeedNothingThatWasUnderWayBeforeTheRest(t *testing.T) {
	s := ladder.setBack(State{}, 1, reset, false)
	again := ladder.setBack(s, 2, reset, false)
	if again != s {
		t.Errorf("a request that failed beside the first changes %+v to %+v", s, again)
	}
	again = ladder.setBack(s, 2, refused, false)
	if again.By != ByDial || again.Step != s.Step || again.Until != s.Until {
		t.Errorf("a refused dial during a rest makes %+v, want the same rest, ended by a dial", again)
	}
}

func TestRules_ChooseWhoFindsOut(t *testing.T) {
	checked := ladder
	checked.checked = true
	for _, tc := range []struct {
		rules rules
		b     Setback
		want  Finder
	}{
		{ladder, reset, ByRequest}, {ladder, refused, ByDial}, {ladder, silent, ByDialAndRequest}, {checked, reset, ByCheck}, {checked, refused, ByCheck},
	} {
		if s := tc.rules.setBack(State{}, 1, tc.b, false); s.By != tc.want {
			t.Errorf("after %v (checked: %v) finder %d finds out, want %d", tc.b.Err, tc.rules.checked, s.By, tc.want)
		}
	}
}

func TestRules_CountHealthChecks(t *testing.T) {
	s := State{}
	for i, want := range []Condition{Up, Up, Unhealthy, Unhealthy} {
		if s = ladder.check(s, 1, errReset, false); s.Condition != want {
			t.Fatalf("after %d failed checks it is %v, want %v", i+1, s.Condition, want)
		}
	}
	for i, want := range []Condition{Unhealthy, Up} {
		if s = ladder.check(s, 2, nil, false); s.Condition != want {
			t.Fatalf("after %d passed checks it is %v, want %v", i+1, s.Condition, want)
		}
	}
	s = ladder.check(ladder.check(s, 3, errReset, false), 3, errReset, false)
	s = ladder.check(s, 3, nil, false)
	if s = ladder.check(s, 3, errReset, false); s.Condition != Up {
		t.Error("failed checks with one that passed between them were counted together")
	}
}

func TestRules_LetTheCheckEndARest(t *testing.T) {
	r := ladder
	r.checked = true
	s := r.setBack(State{}, 0, reset, false)
	if s = r.check(s, 99*ms, nil, false); s.Condition != Resting {
		t.Error("a check that passed before the rest was over ended it")
	}
	failed := r.check(s, 100*ms, errReset, false)
	if failed.Step != 2 || failed.Until != 600*ms {
		t.Errorf("a failed check at the end of the rest leads to step %d until %v, want 2 until 600ms", failed.Step, failed.Until)
	}
	if s = r.check(s, 100*ms, nil, false); s.Condition != Up || s.Step != 0 {
		t.Errorf("a passed check at the end of the rest leads to %+v, want up", s)
	}
}

func TestRules_WarmUpWhoComesBack(t *testing.T) {
	r := ladder
	r.slowStart = 10 * time.Second
	s := r.recover(r.setBack(State{}, 1, reset, false), time.Second)
	if s.Condition != Warming {
		t.Fatalf("who comes back is %v, want warming", s.Condition)
	}
	for after, want := range map[time.Duration]float64{0: 0.1, 5 * time.Second: 0.5, time.Minute: 1} {
		if got := r.share(s, time.Second+after); got != want {
			t.Errorf("after %v its share is %v, want %v", after, got, want)
		}
	}
	if s = r.warmed(s, 11*time.Second); s.Condition != Up || r.share(s, 11*time.Second) != 1 {
		t.Errorf("after the slow start the state is %+v", s)
	}
	if s = r.setBack(r.recover(r.setBack(s, 1, reset, false), 2), 3, reset, false); s.warm != 0 {
		t.Error("a slow start goes on while the member rests")
	}
}

func TestRules_DrainingHidesEverything(t *testing.T) {
	s := ladder.drain(State{}, 1, true)
	s = ladder.setBack(s, 2, reset, false)
	if s.Condition != Draining || s.Condition.Available() {
		t.Fatalf("a draining member that fails is %v", s.Condition)
	}
	if s = ladder.drain(s, 3, false); s.Condition != Resting {
		t.Errorf("called off, it is %v, want resting", s.Condition)
	}
}

func TestRules_RiskARequestOnlyAfterADial(t *testing.T) {
	s := ladder.setBack(State{}, 1, silent, false)
	s = ladder.dialed(s, 200*ms)
	if s.Condition != Resting || s.By != ByRequest || s.Step != 1 {
		t.Errorf("after a time-out and a dial that went well the state is %+v, want resting until one request", s)
	}
	if s = ladder.dialed(ladder.setBack(State{}, 1, refused, false), 200*ms); s.Condition != Up {
		t.Errorf("after a refused dial and one that went well the state is %+v, want up", s)
	}
}
