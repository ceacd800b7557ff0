package pool

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A clinic answers health checks as it is told.
type clinic struct {
	sick   atomic.Bool
	silent atomic.Bool
	checks atomic.Int64
}

func (c *clinic) check(ctx context.Context, _ *scripted) error {
	c.checks.Add(1)
	if c.silent.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if c.sick.Load() {
		return errReset
	}
	return nil
}

func checked(c *clinic) testOptions {
	o := defaults()
	o.Check = &CheckOptions[*scripted]{Check: c.check, Interval: 2 * time.Second, Timeout: time.Second, Rise: 2, Fall: 3}
	return o
}

func TestPool_TakesOutWhoFailsItsChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clinic)
		p, _ := newPool(t, checked(c), 0)
		m := p.Members()[0]
		time.Sleep(10 * time.Second)
		if n := c.checks.Load(); n < 4 || n > 6 || m.State().Condition != Up {
			t.Fatalf("after 10 s there were %d checks and it is %v, want about 5 and up", n, m.State().Condition)
		}
		c.sick.Store(true)
		time.Sleep(7 * time.Second)
		if m.State().Condition != Unhealthy || turns(p, 1) != "-" {
			t.Fatalf("after three failed checks it is %v", m.State().Condition)
		}
		c.sick.Store(false)
		time.Sleep(5 * time.Second)
		if m.State().Condition != Up || turns(p, 1) != "a" {
			t.Errorf("after two passed checks it is %v", m.State().Condition)
		}
	})
}

func TestPool_TakesNoAnswerForAFailedCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clinic)
		c.silent.Store(true)
		p, _ := newPool(t, checked(c), 0)
		time.Sleep(12 * time.Second)
		if got := p.Members()[0].State().Condition; got != Unhealthy {
			t.Errorf("an endpoint that answers no check is %v", got)
		}
	})
}

func TestPool_EndsARestByACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clinic)
		p, _ := newPool(t, checked(c), 0)
		time.Sleep(2100 * ms) // checks have begun
		fail(t, p, "a", true)
		if s := p.Members()[0].State(); s.Condition != Resting || s.By != ByCheck {
			t.Fatalf("after a failure the state is %+v, want resting until a check", s)
		}
		time.Sleep(200 * ms)
		if got := p.Members()[0].State().Condition; got != Up {
			t.Errorf("200 ms later it is %v: the check did not come at the end of the rest", got)
		}
	})
}

func TestPool_GivesAGrowingShareToWhoComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.SlowStart = 10 * time.Second
		p, _ := newPool(t, o, 0, 0)
		fail(t, p, "a", false)
		time.Sleep(100 * ms)
		probe := take(t, p)
		p.Succeeded(&probe)
		p.Leave(&probe)
		share := func() float64 {
			n := 0
			for range 110 {
				if turns(p, 1) == "a" {
					n++
				}
			}
			return float64(n) / 110
		}
		for _, step := range []struct{ after, least, most float64 }{{0, 0.08, 0.11}, {5, 0.26, 0.36}, {6, 0.49, 0.51}} {
			time.Sleep(time.Duration(step.after * float64(time.Second)))
			if got := share(); got < step.least || got > step.most {
				t.Errorf("its share is %v, want between %v and %v", got, step.least, step.most)
			}
		}
		if got := p.Members()[0].State().Condition; got != Up {
			t.Errorf("after the slow start it is %v", got)
		}
	})
}

func TestUnreachable_IsAFailedDial(t *testing.T) {
	if !unreachable(exchange.Fail(exchange.CodeConnectTimeout, "", nil)) || unreachable(errReset) || unreachable(nil) {
		t.Error("a failed dial is not told from other failures")
	}
}
