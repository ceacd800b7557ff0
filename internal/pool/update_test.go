package pool

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

// announce makes these the pool's endpoints; a name may be followed by its limit, as
// in a:2.
func announce(p *Pool[*scripted], names ...string) (left string) {
	var list []endpoint.Endpoint
	for _, name := range names {
		name, limit, _ := strings.Cut(name, ":")
		list = append(list, endpoint.Endpoint{Name: name, Concurrency: len(limit)})
	}
	for _, m := range p.Update(list, nil, func(endpoint.Endpoint) *scripted { return new(scripted) }) {
		left += m.Endpoint.Name
	}
	return left
}

func TestPool_TakesWhoComesAndLosesWhoGoes(t *testing.T) {
	p, _ := newPool(t, defaults(), 0, 0)
	if left := announce(p, "b", "c"); left != "a" {
		t.Errorf("%q has left, want a", left)
	}
	if got := turns(p, 4); strings.Contains(got, "a") || !strings.Contains(got, "b") || !strings.Contains(got, "c") {
		t.Errorf("requests go to %s, want b and c", got)
	}
	if m := p.Members(); m[0].Endpoint.Name != "b" || m[0].Index() != 0 || m[1].Index() != 1 {
		t.Error("the members are not in the order that was announced last")
	}
}

func TestPool_KeepsTheStateOfWhoStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		stays := p.Members()[0]
		announce(p, "c", "a")
		if p.Members()[1] != stays || stays.State().Condition != Resting {
			t.Error("an endpoint that stays does not rest any more")
		}
		if got := turns(p, 3); got != "ccc" {
			t.Errorf("requests go to %s, want c alone", got)
		}
	})
}

func TestPool_LetsWhoGoesFinish(t *testing.T) {
	p, _ := newPool(t, defaults(), 0, 0)
	g := take(t, p)
	announce(p, "b")
	if g.Member.InFlight() != 1 {
		t.Error("the request of a member that left was forgotten")
	}
	p.Failed(&g, reset)
	p.Leave(&g)
	if got := turns(p, 2); got != "bb" {
		t.Errorf("requests go to %s, want b alone", got)
	}
}

func TestPool_ServesWhoWaitsWithWhoComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults())
		v := visit(p, anyRequest())
		pass(time.Second)
		announce(p, "a")
		synctest.Wait()
		if v.grant.Member == nil || v.after != time.Second {
			t.Errorf("who waits for an endpoint to come got %v after %v", v.grant.Member, v.after)
		}
	})
}

func TestPool_WaitsForWhoHasLeftToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0)
		gone := p.Members()[0]
		announce(p)
		again := anyRequest()
		again.Tried = []*Member[*scripted]{gone}
		v := visit(p, again)
		pass(time.Second)
		if v.done.Load() {
			t.Fatalf("who has tried an endpoint that left does not wait for it: %v", v.failure)
		}
		announce(p, "a")
		synctest.Wait()
		if v.grant.Member == nil || v.grant.Member == gone {
			t.Errorf("it got %v, want the endpoint that came", v.grant.Member)
		}
	})
}

func TestPool_WaitsForAnotherWhenTheOnlyOneTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0)
		leaving := p.Members()[0]
		p.Limit(leaving, 0)
		again := anyRequest()
		again.Tried = []*Member[*scripted]{leaving}
		v := visit(p, again)
		pass(time.Second)
		if v.done.Load() {
			t.Fatalf("who has tried one that takes no more does not wait: %v", v.failure)
		}
		announce(p, "b")
		synctest.Wait()
		if v.grant.Member == nil || v.grant.Member.Endpoint.Name != "b" {
			t.Errorf("it got %v, want the one that came", v.grant.Member)
		}
	})
}

func TestPool_AnnouncesAMemberThatTakesNone(t *testing.T) {
	p, _ := newPool(t, defaults(), 0)
	p.Update([]endpoint.Endpoint{{Name: "a", Concurrency: -1}}, nil, nil)
	if got := turns(p, 1); got != "-" {
		t.Errorf("a request went to %s, which takes none", got)
	}
	announce(p, "a")
	if got := turns(p, 1); got != "a" {
		t.Errorf("when it takes any, a request went to %s", got)
	}
}

func TestPool_HeedsAnotherLimit(t *testing.T) {
	p, _ := newPool(t, defaults(), 1)
	g := take(t, p)
	if got := turns(p, 1); got != "-" {
		t.Fatalf("beyond its limit a request went to %s", got)
	}
	announce(p, "a:xx")
	if got := turns(p, 1); got != "a" {
		t.Errorf("with a limit of two the second request went to %s", got)
	}
	p.Leave(&g)
}

func TestPool_HeedsALimitThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0)
		m := p.Members()[0]
		p.Limit(m, 0)
		v := visit(p, anyRequest())
		if v.done.Load() {
			t.Fatalf("a request did not wait for a member that takes none: %v", v.failure)
		}
		p.Limit(m, 1)
		synctest.Wait()
		if v.grant.Member != m {
			t.Fatal("who waits does not see that the member takes one")
		}
		if got := turns(p, 1); got != "-" {
			t.Errorf("beyond the limit a request went to %s", got)
		}
	})
}

func TestPool_WarmsUpWhoComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.SlowStart = 10 * time.Second
		p, _ := newPool(t, o, 0)
		announce(p, "a", "b")
		if a, b := p.Members()[0].State().Condition, p.Members()[1].State().Condition; a != Up || b != Warming {
			t.Errorf("who was there is %v and who came %v, want up and warming", a, b)
		}
		time.Sleep(11 * time.Second)
		if b := p.Members()[1].State().Condition; b != Up {
			t.Errorf("after the slow start it is %v", b)
		}
	})
}

func TestPool_EndsWhatIsDoneForWhoGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transports := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", true)
		announce(p, "b")
		time.Sleep(time.Minute)
		if n := len(transports[0].seen()); n != 0 {
			t.Errorf("an endpoint that left was dialed %d times", n)
		}
	})
}

// TestPool_IsConsistentWhileMembersComeAndGo has the set change while others take
// places.
func TestPool_IsConsistentWhileMembersComeAndGo(t *testing.T) {
	p, _ := newPool(t, defaults(), 2, 2)
	done := make(chan bool)
	for range 4 {
		go func() {
			for range 2000 {
				if g, f := p.Wait(anyRequest()); f == nil && g.Member != nil {
					p.Leave(&g)
				}
			}
			done <- true
		}()
	}
	for i := range 200 {
		announce(p, [][]string{{"a:xx", "b:x"}, {"b:x", "c"}, {"c", "d:xxx", "a:x"}}[i%3]...)
	}
	for range 4 {
		<-done
	}
	if n := p.InFlight(); n != 0 {
		t.Errorf("%d places were not given back", n)
	}
}

func TestUpdate_DrainsFromTheBeginningWhoIsToBeDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[*scripted](nil, nil, Options[*scripted]{})
		defer p.Close()
		p.Update([]endpoint.Endpoint{{Name: "a"}, {Name: "b"}}, map[string]bool{"a": true}, func(endpoint.Endpoint) *scripted { return new(scripted) })
		if got := p.Members()[0].State().Condition; got != Draining {
			t.Errorf("an endpoint that is to be drained comes as %v", got)
		}
		for range 4 {
			g, ok := p.Take(&Query[*scripted]{})
			if !ok || g.Member.Endpoint.Name != "b" {
				t.Fatalf("a request got %v (%v), want b", g.Member, ok)
			}
			p.Leave(&g)
		}
		p.Drain(p.Members()[0], false)
		if got := p.Members()[0].State().Condition; got != Up {
			t.Errorf("after draining was called off it is %v", got)
		}
	})
}
