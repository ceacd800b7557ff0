package pool

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestReconfigure_KeepsMembersAndTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		before := p.Members()[0]
		o := defaults()
		o.Rest.Steps = []time.Duration{time.Hour}
		p.Reconfigure(o)
		if m := p.Members()[0]; m != before || m.State().Condition != Resting {
			t.Error("a member that rests does not, or is another one, under other options")
		}
		if got := turns(p, 2); got != "bb" {
			t.Errorf("requests go to %s, want b alone", got)
		}
	})
}

func TestReconfigure_EndsRestsWhenThereAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0)
		fail(t, p, "a", true)
		o := defaults()
		o.Rest.Steps = nil
		p.Reconfigure(o)
		if got := turns(p, 1); got != "a" {
			t.Errorf("the request goes to %s, want a, which has no reason to rest", got)
		}
		time.Sleep(time.Minute) // whoever was to dial finds nothing to do
	})
}

func TestReconfigure_CountsOnlyWhatItHasCounted(t *testing.T) {
	p, _ := newPool(t, defaults(), 0)
	uncounted := anyRequest()
	g, _ := p.Take(uncounted)
	o := defaults()
	o.Concurrency = 1
	p.Reconfigure(o)
	p.Leave(&g)
	p.Dismiss(uncounted)
	first, second := anyRequest(), anyRequest()
	if _, ok := p.Take(first); !ok {
		t.Fatal("the first of one request was not admitted")
	}
	if _, ok := p.Take(second); ok {
		t.Error("a second request was admitted where there is a limit of one")
	}
	p.Reconfigure(defaults())
	p.Dismiss(first)
	if n := p.serving.Load(); n != 0 {
		t.Errorf("%d requests are counted when there are none", n)
	}
}

func TestReconfigure_BeginsAndEndsHealthChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		o := defaults()
		var asked atomic.Int64
		o.Check = &CheckOptions[*scripted]{
			Check:    func(context.Context, *scripted) error { asked.Add(1); return errors.New("ill") },
			Interval: time.Second, Timeout: time.Second, Rise: 1, Fall: 1,
		}
		p.Reconfigure(o)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if c := p.Members()[0].State().Condition; c != Unhealthy || asked.Load() == 0 {
			t.Fatalf("after %d checks that failed a member is %v", asked.Load(), c)
		}
		p.Reconfigure(defaults())
		synctest.Wait()
		before := asked.Load()
		time.Sleep(time.Minute)
		if c := p.Members()[0].State().Condition; c != Up || asked.Load() != before {
			t.Errorf("without checks a member is %v, and %d more were made", c, asked.Load()-before)
		}
	})
}

func TestReconfigure_WakesWhoWaitsForALimitThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.Concurrency = 1
		p, _ := newPool(t, o, 0)
		first := anyRequest()
		_, _ = p.Take(first)
		v := visit(p, anyRequest())
		p.Reconfigure(defaults())
		synctest.Wait()
		if v.grant.Member == nil {
			t.Error("who waits does not see that there is no limit any more")
		}
	})
}
