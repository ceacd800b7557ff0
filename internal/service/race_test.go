package service

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestService_FansOut(t *testing.T) {
	s := defaults().strategy(Fanout)
	for _, m := range []move{
		{[]string{"200@50ms", "200@1ms", "200@20ms"}, "GET", nil, 200, nil, 3, "1 1 1"},
		{[]string{"500@1ms", "404@10ms", "200@20ms"}, "GET", nil, 404, nil, 3, "1 1 1"},
		{[]string{"500", "501@10ms"}, "GET", nil, 501, nil, 2, "1 1"},
		{[]string{"500", closes}, "GET", nil, 500, nil, 2, "1 1"},
		{[]string{closes, closes}, "GET", nil, 502, exchange.CodeEndpointClosed, 2, "1 1"},
		{[]string{refuses, refuses}, "GET", nil, 502, exchange.CodeConnectFailed, 0, "0 0"},
		{[]string{refuses, "200@10ms"}, "PUT", small, 200, nil, 1, "0 1"},
		// What may be sent once goes to one.
		{[]string{answers, answers}, "POST", small, 200, nil, 1, "1 0"},
		{[]string{"500", answers}, "POST", small, 500, nil, 1, "1 0"},
		{[]string{refuses, answers}, "POST", small, 200, nil, 1, "0 1"},
		{[]string{answers, answers}, "PUT", large, 200, nil, 1, "1 0"},
	} {
		m.play(t, s)
	}
}

func TestService_ServesTheClientWhileALoserIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().strategy(Fanout).over(t, silent, "200@10ms", "200@1h")
		began := exchange.Now()
		r, x := svc.get()
		if took := r.at - began; r.content != "b" || took != 10*time.Millisecond {
			t.Errorf("the client got %q after %v, want b's answer after 10ms", r.content, took)
		}
		synctest.Wait()
		if a, c := svc.fakes[0].abandoned(), svc.fakes[2].abandoned(); a != 1 || c != 1 {
			t.Errorf("%d and %d of the losing endpoints have seen their connection close, want each", a, c)
		}
		if len(x.Outcome.Tries) != 2 || codeOf(x.Outcome.Tries[0].Failure) != exchange.CodeCancelled {
			t.Errorf("the tries are %+v, want two that were cancelled", x.Outcome.Tries)
		}
		if n := svc.Pool().InFlight(); n != 0 {
			t.Errorf("%d places were not given back", n)
		}
	})
}

func TestService_RestsNobodyForLosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().strategy(Fanout).over(t, silent, answers)
		svc.get()
		if s := svc.Pool().Members()[0].State(); !s.Condition.Available() {
			t.Errorf("who was cancelled is %v: %v", s.Condition, s.Err)
		}
	})
}

func TestService_SendsTheSameContentToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().strategy(Fanout).over(t, "500@1ms", "500@1ms", "200@10ms")
		text := strings.Repeat("0123456789", 6000)
		svc.do("PUT", &body{text: text})
		for _, f := range svc.fakes {
			if got := f.requests(); len(got) != 1 || got[0] != text {
				t.Errorf("endpoint %s has not seen the content once and unchanged", f.name)
			}
		}
	})
}

func TestService_PassesOnTheHintsOfTheWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().strategy(Fanout).over(t, "500", hints)
		r, _ := svc.get()
		if got := strings.Join(r.interim, "; "); r.status != 200 || got != "103 Link: <b>" {
			t.Errorf("the client got %d after %q, want 200 after b's hints", r.status, got)
		}
	})
}

func TestService_CancelsAllForAClientThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().strategy(Fanout).over(t, silent, silent)
		r := new(recorder)
		x := newExchange("GET", nil, r)
		go func() {
			time.Sleep(100 * time.Millisecond)
			x.Gone.Store(true)
		}()
		svc.Serve(x)
		synctest.Wait()
		if codeOf(x.Outcome.Failure) != exchange.CodeClientGone || r.status != 0 {
			t.Errorf("the outcome is %v and the answer %d", x.Outcome.Failure, r.status)
		}
		if a, b := svc.fakes[0].abandoned(), svc.fakes[1].abandoned(); a != 1 || b != 1 {
			t.Errorf("%d and %d endpoints have seen the client leave, want each", a, b)
		}
	})
}

func hedging(after time.Duration) *settings {
	s := defaults().strategy(Hedge)
	s.Hedge.After = after
	return s
}

func TestService_Hedges(t *testing.T) {
	s := hedging(50 * time.Millisecond)
	for _, m := range []move{
		{[]string{"200@40ms", answers}, "GET", nil, 200, nil, 1, "1 0"},
		{[]string{"200@1s", answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{"200@100ms", "200@1s"}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{silent, silent, answers}, "GET", nil, 200, nil, 3, "1 1 1"}, // the first two time out
		{[]string{"500", answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{closes, closes, answers}, "GET", nil, 200, nil, 3, "1 1 1"},
		{[]string{closes, closes, closes, answers}, "GET", nil, 502, exchange.CodeEndpointClosed, 3, "1 1 1 0"},
		{[]string{refuses, refuses, refuses, refuses, answers}, "GET", nil, 200, nil, 1, "0 0 0 0 1"},
		{[]string{"200@1s", answers}, "POST", small, 200, nil, 1, "1 0"},
	} {
		m.play(t, s)
	}
}

func TestService_HedgesNotBeforeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := hedging(50*time.Millisecond).over(t, "200@1s", "200@10ms")
		began := exchange.Now()
		r, _ := svc.get()
		if took := r.at - began; r.content != "b" || took != 60*time.Millisecond {
			t.Errorf("the client got %q after %v, want b's answer after 60ms", r.content, took)
		}
		if svc.Hedges() != 1 {
			t.Errorf("%d hedges were counted, want 1", svc.Hedges())
		}
	})
}

func TestService_HedgesWithinItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hedging(50 * time.Millisecond)
		s.Hedge.Budget = Budget{Ratio: 0.1}
		svc := s.over(t, "200@100ms", "200@1ms")
		for range 100 {
			svc.get()
		}
		if n := svc.Hedges(); n < 8 || n > 11 {
			t.Errorf("of 100 slow requests %d were hedged, want about 10", n)
		}
	})
}

func TestService_HedgesAtALivePercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := hedging(0).over(t, "200@20ms", "200@1ms")
		for range 100 {
			svc.get()
		}
		if svc.Hedges() > 5 {
			t.Fatalf("%d of 100 equal requests were hedged", svc.Hedges())
		}
		svc.fakes[0].behaviours = []string{"200@1s"}
		began := exchange.Now()
		r, _ := svc.get()
		if took := r.at - began; r.content != "b" || took > 40*time.Millisecond {
			t.Errorf("when a becomes slow the client got %q after %v, want b's answer soon after 20ms", r.content, took)
		}
	})
}

// TestService_TestsAFrozenEndpointAtLittleCost: who accepts connections and never
// answers costs each client that finds out a second, not the whole time that a
// response may take.
func TestService_TestsAFrozenEndpointAtLittleCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().over(t, silent, answers)
		svc.get()
		member := svc.Pool().Members()[0]
		for step := 2; step <= 4; step++ {
			// A connection is opened first, within a tenth more of the rest.
			time.Sleep((member.State().Until-exchange.Now())*11/10 + time.Millisecond)
			began := exchange.Now()
			r, x := svc.get()
			if took := r.at - began; r.content != "b" || took != testAfter {
				t.Errorf("the client that finds out got %q after %v, want b's answer after %v", r.content, took, testAfter)
			}
			if len(x.Outcome.Tries) != 1 || x.Outcome.Tries[0].Endpoint != "a" {
				t.Errorf("the tries are %+v, want the one at a", x.Outcome.Tries)
			}
			if s := member.State(); s.Step != step || s.Condition.Available() {
				t.Errorf("the endpoint is %v, step %d; want resting, step %d", s.Condition, s.Step, step)
			}
		}
	})
}

func TestService_TakesAnEndpointBackThatAnswersItsTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().over(t, closes+", 200@500ms", answers)
		svc.get()
		time.Sleep(100 * time.Millisecond)
		r, x := svc.get()
		if r.content != "a" || x.Outcome.Attempts != 1 || !svc.Pool().Members()[0].State().Condition.Available() {
			t.Errorf("the client got %q after %d attempts, and a is %v", r.content, x.Outcome.Attempts, svc.Pool().Members()[0].State().Condition)
		}
		if got := svc.seen(); got != "2 1" {
			t.Errorf("the endpoints have seen %s requests, want 2 1", got)
		}
	})
}
