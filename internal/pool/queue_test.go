package pool

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A visitor waits for a place in the background.
type visitor struct {
	grant   testGrant
	failure *exchange.Failure
	after   time.Duration // how long it waited
	done    atomic.Bool
}

func visit(p *Pool[*scripted], q *testQuery) *visitor {
	v := new(visitor)
	go func() {
		began := exchange.Now()
		v.grant, v.failure = p.Wait(q)
		v.after = exchange.Now() - began
		v.done.Store(true)
	}()
	synctest.Wait() // it stands in the queue before anybody else comes
	return v
}

// pass lets time pass, and everything happen that does.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestPool_NeverExceedsALimit(t *testing.T) {
	p, _ := newPool(t, defaults(), 3, 2)
	var wg sync.WaitGroup
	var most [2]atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				g, f := p.Wait(anyRequest())
				if f != nil {
					continue // the queue is full
				}
				i, n := g.Member.Index(), int64(g.Member.InFlight())
				for old := most[i].Load(); n > old && !most[i].CompareAndSwap(old, n); old = most[i].Load() {
				}
				p.Leave(&g)
			}
		})
	}
	wg.Wait()
	if a, b := most[0].Load(), most[1].Load(); a > 3 || b > 2 {
		t.Errorf("members limited to 3 and 2 had %d and %d requests", a, b)
	}
	if n := p.InFlight(); n != 0 {
		t.Errorf("%d places were not given back", n)
	}
}

func TestPool_GoesToWhoHasRoom(t *testing.T) {
	p, _ := newPool(t, defaults(), 1, 0)
	first := take(t, p)
	if first.Member.Endpoint.Name != "a" {
		t.Fatalf("the first request goes to %s", first.Member.Endpoint.Name)
	}
	if got := turns(p, 3); got != "bbb" {
		t.Errorf("with a at its limit requests go to %s", got)
	}
}

func TestPool_ServesWhoWaitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		g := take(t, p)
		first, second := visit(p, anyRequest()), visit(p, anyRequest())
		if p.Waiting() != 2 {
			t.Fatalf("%d requests wait, want 2", p.Waiting())
		}
		p.Leave(&g)
		synctest.Wait()
		if !first.done.Load() || second.done.Load() {
			t.Fatalf("when a place is free the first waits no longer: %v, the second: %v", first.done.Load(), second.done.Load())
		}
		p.Leave(&first.grant)
		synctest.Wait()
		if !second.done.Load() {
			t.Error("the second was forgotten")
		}
	})
}

func TestPool_ServesWhoWaitsBeforeWhoComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		g := take(t, p)
		visit(p, anyRequest())
		p.Leave(&g)
		// The place is the waiter's already, even before it has noticed.
		if _, ok := p.Take(anyRequest()); ok {
			t.Error("who came last got the place")
		}
	})
}

func TestPool_TurnsAwayWhoFindsTheQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.Queue.Size = 1
		p, _ := newPool(t, o, 1)
		take(t, p)
		visit(p, anyRequest())
		v := visit(p, anyRequest())
		if v.failure == nil || v.failure.Code != exchange.CodeQueueFull || v.failure.RetryAfter < 1 || v.after != 0 {
			t.Errorf("who finds the queue full gets %v after %v, want queue_full at once and Retry-After", v.failure, v.after)
		}
		if full, _, _ := p.Rejected(); full != 1 {
			t.Errorf("%d were counted as turned away, want 1", full)
		}
	})
}

func TestPool_EndsAWaitThatIsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		take(t, p)
		v := visit(p, anyRequest())
		pass(6 * time.Second)
		if v.failure == nil || v.failure.Code != exchange.CodeQueueTimeout || v.after < 5*time.Second || v.after > 5*time.Second+2*tick {
			t.Errorf("after %v the wait ended with %v, want queue_timeout after 5s", v.after, v.failure)
		}
		if p.Waiting() != 0 {
			t.Errorf("%d still wait", p.Waiting())
		}
	})
}

func TestPool_FreesThePlaceOfAClientThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		g := take(t, p)
		gone := new(atomic.Bool)
		leaves := visit(p, &testQuery{Gone: gone})
		stays := visit(p, anyRequest())
		gone.Store(true)
		pass(2 * tick)
		if leaves.failure == nil || leaves.failure.Code != exchange.CodeClientGone || p.Waiting() != 1 {
			t.Fatalf("the client that left got %v and %d wait, want client_gone and 1", leaves.failure, p.Waiting())
		}
		p.Leave(&g)
		synctest.Wait()
		if stays.grant.Member == nil {
			t.Error("who waits behind a client that has left gets no place")
		}
	})
}

func TestPool_HeedsTheRequestsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		take(t, p)
		v := visit(p, &testQuery{Deadline: exchange.Now() + time.Second})
		pass(2 * time.Second)
		if v.failure == nil || v.failure.Code != exchange.CodeRequestDeadline {
			t.Errorf("the wait ended with %v, want deadline_exceeded", v.failure)
		}
	})
}

func TestPool_LimitsTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.Concurrency = 2
		p, _ := newPool(t, o, 0, 0, 0)
		q1, q2 := anyRequest(), anyRequest()
		g1, _ := p.Take(q1)
		if _, ok := p.Take(q2); !ok {
			t.Fatal("the second of two requests gets no place")
		}
		v := visit(p, anyRequest())
		if v.done.Load() {
			t.Fatal("a third request did not wait")
		}
		// The first is tried once more: it is one request still.
		p.Leave(&g1)
		if g1, ok := p.Take(q1); !ok {
			t.Fatal("a request that is counted already gets no second try")
		} else {
			p.Leave(&g1)
		}
		p.Dismiss(q1)
		synctest.Wait()
		if v.grant.Member == nil {
			t.Error("when one of two has ended the third still waits")
		}
	})
}

func TestPool_WaitsForAnEndpointToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0)
		p.Drain(p.Members()[0], true)
		v := visit(p, anyRequest())
		pass(time.Second)
		if v.done.Load() {
			t.Fatalf("the wait ended with %v", v.failure)
		}
		p.Drain(p.Members()[0], false)
		synctest.Wait()
		if v.grant.Member == nil || v.after != time.Second {
			t.Error("who waits does not see that an endpoint has come")
		}
	})
}

func TestPool_WaitsWithoutAnyEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults())
		v := visit(p, anyRequest())
		pass(6 * time.Second)
		if v.failure == nil || v.failure.Code != exchange.CodeQueueTimeout {
			t.Errorf("without any endpoint the wait ends with %v, want queue_timeout", v.failure)
		}
	})
}

func TestPool_DiscardsWhenAllRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		fail(t, p, "b", true)
		v := visit(p, anyRequest())
		if v.failure == nil || v.failure.Code != exchange.CodeNoEndpoint || v.failure.RetryAfter != 1 || v.after != 0 {
			t.Errorf("when all rest a request gets %v after %v, want no_endpoint at once", v.failure, v.after)
		}
	})
}

func TestPool_TellsWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.Rest.Steps = []time.Duration{7500 * ms}
		p, _ := newPool(t, o, 0)
		fail(t, p, "a", false)
		pass(ms)
		if v := visit(p, anyRequest()); v.failure.RetryAfter != 8 {
			t.Errorf("Retry-After is %d for a rest of 7.5 s, want 8", v.failure.RetryAfter)
		}
	})
}

func TestPool_PausesWhenAllRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		o.Rest.Pause = true
		p, _ := newPool(t, o, 0)
		fail(t, p, "a", false)
		first, second := visit(p, anyRequest()), visit(p, anyRequest())
		pass(100*ms + tick)
		synctest.Wait()
		if !first.grant.Probe || second.done.Load() {
			t.Fatalf("after the rest the first is a probe: %v, the second still waits: %v", first.grant.Probe, !second.done.Load())
		}
		p.Succeeded(&first.grant)
		synctest.Wait()
		if second.grant.Member == nil {
			t.Error("after a good probe the second still waits")
		}
	})
}

func TestPool_WaitsForABusyOneWhileAnotherRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1, 1)
		fail(t, p, "a", false)
		g := take(t, p)
		v := visit(p, anyRequest())
		if v.done.Load() {
			t.Fatalf("a request did not wait for b: %v", v.failure)
		}
		// When b rests as well, there is nothing to wait for.
		p.Failed(&g, reset)
		pass(tick + ms)
		if v.failure == nil || v.failure.Code != exchange.CodeNoEndpoint {
			t.Errorf("the wait ended with %v, want no_endpoint", v.failure)
		}
	})
}

func TestPool_TurnsAwayWhoWaitsWhenItCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1)
		take(t, p)
		v := visit(p, anyRequest())
		p.Close()
		synctest.Wait()
		if v.failure == nil {
			t.Error("a request waits at a pool that is closed")
		}
	})
}

// TestPool_LetsWhoMayBeRepeatedTestBeforeItsTurn: who waits in front may not, and
// nothing else is free.
func TestPool_LetsWhoMayBeRepeatedTestBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 1, 1)
		fail(t, p, "a", false)
		take(t, p)
		post := visit(p, &testQuery{})
		get := visit(p, anyRequest())
		pass(100*ms + tick)
		if post.done.Load() || !get.grant.Probe {
			t.Errorf("the first, which may not be repeated, was served: %v; the second tests a: %v", post.done.Load(), get.grant.Probe)
		}
	})
}
