package pool

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
)

var errRefused = errors.New("connection refused")

// A scripted Transport answers probes as it is told and notes when they came.
type scripted struct {
	mu     sync.Mutex
	up     bool
	probes []time.Duration
	hang   bool // until the context ends
}

func (s *scripted) Probe(ctx context.Context) error {
	s.mu.Lock()
	s.probes = append(s.probes, exchange.Now())
	up, hang := s.up, s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if !up {
		return errRefused
	}
	return nil
}

func (s *scripted) set(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = up
}

func (s *scripted) seen() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration(nil), s.probes...)
}

type testOptions = Options[*scripted]

// defaults are those of a configuration that says nothing.
func defaults() testOptions {
	return testOptions{
		Service: "test", ProbeTimeout: time.Second,
		Queue: QueueOptions{Size: 10, Timeout: 5 * time.Second},
		Rest:  RestOptions{Steps: []time.Duration{100 * ms, 500 * ms, time.Second, 10 * time.Second}, MaxEjected: 1},
	}
}

// newPool returns a pool of members a, b, c… with these limits.
func newPool(t *testing.T, o testOptions, limits ...int) (*Pool[*scripted], []*scripted) {
	t.Helper()
	var endpoints []endpoint.Endpoint
	var transports []*scripted
	for i, limit := range limits {
		endpoints = append(endpoints, endpoint.Endpoint{Name: string(rune('a' + i)), Concurrency: limit})
		transports = append(transports, new(scripted))
	}
	p := New(endpoints, transports, o)
	t.Cleanup(p.Close)
	return p, transports
}

type (
	testGrant = Grant[*scripted]
	testQuery = Query[*scripted]
)

func anyRequest() *testQuery { return &testQuery{Repeatable: true} }

// take takes a place that there has to be.
func take(t *testing.T, p *Pool[*scripted]) testGrant {
	t.Helper()
	g, ok := p.Take(anyRequest())
	if !ok {
		t.Fatal("there is no place")
	}
	return g
}

// turns returns who gets the next n requests, each ending before the next; "-" is
// nobody, a capital letter a probe.
func turns(p *Pool[*scripted], n int) string {
	var b strings.Builder
	for range n {
		g, ok := p.Take(anyRequest())
		switch {
		case !ok:
			b.WriteString("-")
			continue
		case g.Probe:
			b.WriteString(strings.ToUpper(g.Member.Endpoint.Name))
		default:
			b.WriteString(g.Member.Endpoint.Name)
		}
		p.Leave(&g)
	}
	return b.String()
}

// fail has one request fail at the named member.
func fail(t *testing.T, p *Pool[*scripted], name string, unreachable bool) {
	t.Helper()
	for range 2 * len(p.Members()) {
		g := take(t, p)
		if g.Member.Endpoint.Name == name {
			p.Failed(&g, Setback{Err: errReset, Unreachable: unreachable})
			p.Leave(&g)
			return
		}
		p.Leave(&g)
	}
	t.Fatalf("%s gets no request", name)
}

func TestPool_TakesItsMembersInTurn(t *testing.T) {
	p, _ := newPool(t, defaults(), 0, 0, 0)
	if got := turns(p, 7); got != "abcabca" {
		t.Errorf("seven requests go to %s, want abcabca", got)
	}
}

func TestPool_PassesOverWhatWasTried(t *testing.T) {
	p, _ := newPool(t, defaults(), 0, 0, 0)
	q := anyRequest()
	var got string
	for range 4 {
		g, ok := p.Take(q)
		if !ok {
			got += "-"
			continue
		}
		got += g.Member.Endpoint.Name
		q.Tried = append(q.Tried, g.Member)
		p.Leave(&g)
	}
	if got != "abc-" {
		t.Errorf("one request that moves on goes to %s, want abc-", got)
	}
	if g, f := p.Wait(q); g.Member != nil || f != nil {
		t.Errorf("waiting for what was tried already gives %v, %v; want neither", g.Member, f)
	}
}

func TestPool_RestsWhoFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		if got := turns(p, 4); got != "bbbb" {
			t.Errorf("during the rest of a the requests go to %s", got)
		}
		time.Sleep(99 * ms)
		if got := turns(p, 2); got != "bb" {
			t.Errorf("just before the rest is over the requests go to %s", got)
		}
		time.Sleep(time.Millisecond)
		if got := turns(p, 1); got != "A" {
			t.Errorf("when the rest is over the next request goes to %s, want a as a probe", got)
		}
	})
}

func TestPool_ProbesOnceAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		for i, step := range []time.Duration{100 * ms, 500 * ms, time.Second, 10 * time.Second, 10 * time.Second} {
			time.Sleep(step)
			probe := take(t, p)
			if !probe.Probe {
				t.Fatalf("after rest %d nobody probes", i+1)
			}
			if got := turns(p, 3); got != "bbb" {
				t.Errorf("while the probe is under way the others go to %s", got)
			}
			p.Failed(&probe, reset)
			p.Leave(&probe)
			time.Sleep(step - ms)
			if got := turns(p, 3); got != "bbb" {
				t.Errorf("within rest %d the requests go to %s", i+2, got)
			}
			time.Sleep(ms - step)
		}
	})
}

func TestPool_ReturnsWhoAnswersTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		time.Sleep(100 * ms)
		probe := take(t, p)
		p.Succeeded(&probe)
		p.Leave(&probe)
		if got := turns(p, 4); got != "abab" && got != "baba" {
			t.Errorf("after a good probe the requests go to %s, want both in turn", got)
		}
	})
}

func TestPool_LetsSomebodyElseProbeIfTheProbeToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		time.Sleep(100 * ms)
		probe := take(t, p)
		p.Leave(&probe) // the client left, say
		if got := turns(p, 1); got != "A" {
			t.Errorf("the next request goes to %s, want a as a probe", got)
		}
	})
}

func TestPool_ProbesWithWhatMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPool(t, defaults(), 0, 0)
		fail(t, p, "a", false)
		time.Sleep(100 * ms)
		post := &testQuery{}
		if g, _ := p.Take(post); g.Probe {
			t.Error("a request that cannot be repeated was sent to find out, although b is up")
		}
		time.Sleep(patience)
		if g, _ := p.Take(&testQuery{}); !g.Probe {
			t.Error("when nothing else comes, nobody finds out")
		}
	})
}

func TestPool_DialsWhoCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transports := newPool(t, defaults(), 0, 0)
		began := exchange.Now()
		fail(t, p, "a", true)
		time.Sleep(1500 * ms)
		if got := turns(p, 3); got != "bbb" {
			t.Errorf("while a is refused the requests go to %s", got)
		}
		at := began
		for i, step := range []time.Duration{100 * ms, 500 * ms} {
			dial := transports[0].seen()[i]
			if wait := dial - at; wait < step || wait > step+step/10+ms {
				t.Errorf("dial %d comes %v after the one before, want %v and at most a tenth more", i+1, wait, step)
			}
			at = dial
		}
		transports[0].set(true)
		time.Sleep(2 * time.Second)
		if got := turns(p, 4); got != "abab" && got != "baba" {
			t.Errorf("when a can be reached again the requests go to %s", got)
		}
	})
}

func TestPool_BoundsADial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, transports := newPool(t, defaults(), 0)
		transports[0].hang = true
		fail(t, p, "a", true)
		time.Sleep(30 * time.Second)
		if n := len(transports[0].seen()); n < 4 {
			t.Errorf("an endpoint that accepts nothing was dialed %d times in 30 s", n)
		}
	})
}

func TestPool_RestsAtMostAShare(t *testing.T) {
	o := defaults()
	o.Rest.MaxEjected = 0.5
	p, _ := newPool(t, o, 0, 0, 0, 0)
	for _, name := range []string{"a", "b", "c"} {
		fail(t, p, name, false)
	}
	if got := turns(p, 4); strings.ContainsAny(got, "ab") || !strings.Contains(got, "c") {
		t.Errorf("with half of four allowed to rest, requests go to %s, want c and d", got)
	}
	fail(t, p, "d", true)
	if got := turns(p, 3); got != "ccc" {
		t.Errorf("with d out of reach requests go to %s, want c alone", got)
	}
}

func TestPool_PanicsBackToWhoCanBeReached(t *testing.T) {
	o := defaults()
	o.Rest.Panic = 0.5
	p, _ := newPool(t, o, 0, 0, 0, 0)
	fail(t, p, "a", true)
	fail(t, p, "b", false)
	if got := turns(p, 4); got != "cdcd" && got != "dcdc" {
		t.Errorf("with half of them available requests go to %s", got)
	}
	fail(t, p, "c", false)
	got := turns(p, 6)
	if strings.Contains(got, "a") || !strings.Contains(got, "b") || !strings.Contains(got, "c") || !strings.Contains(got, "d") {
		t.Errorf("with a quarter of them available requests go to %s, want all but a, which cannot be reached", got)
	}
}

func TestPool_DrainsGently(t *testing.T) {
	p, _ := newPool(t, defaults(), 0, 0)
	g := take(t, p)
	p.Drain(g.Member, true)
	if got := turns(p, 3); got != "bbb" {
		t.Errorf("while a drains requests go to %s", got)
	}
	if g.Member.InFlight() != 1 {
		t.Errorf("a has %d requests in flight, want the one it had", g.Member.InFlight())
	}
	p.Leave(&g)
	p.Drain(p.Members()[0], false)
	if got := turns(p, 2); !strings.Contains(got, "a") {
		t.Errorf("after that was called off requests go to %s", got)
	}
}

func TestPool_TellsOfEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaults()
		var told []string
		o.Changed = func(c Change) {
			told = append(told, c.Service+" "+c.Endpoint+" "+c.From.String()+" "+c.To.String())
		}
		p, _ := newPool(t, o, 0)
		fail(t, p, "a", false)
		time.Sleep(100 * ms)
		g := take(t, p)
		p.Succeeded(&g)
		p.Leave(&g)
		if got := strings.Join(told, ", "); got != "test a up resting, test a resting up" {
			t.Errorf("told was %q", got)
		}
	})
}

func TestPool_TakesWithoutAllocating(t *testing.T) {
	o := defaults()
	o.Concurrency = 100
	p, _ := newPool(t, o, 10, 10, 10)
	q := anyRequest()
	if n := testing.AllocsPerRun(1000, func() {
		g, _ := p.Take(q)
		p.Succeeded(&g)
		p.Leave(&g)
		p.Dismiss(q)
	}); n != 0 {
		t.Errorf("a request allocates %v times", n)
	}
}

func BenchmarkPool_Take(b *testing.B) {
	p := New([]endpoint.Endpoint{{Name: "a"}, {Name: "b"}, {Name: "c"}}, make([]*scripted, 3), defaults())
	defer p.Close()
	b.RunParallel(func(pb *testing.PB) {
		q := anyRequest()
		for pb.Next() {
			g, _ := p.Take(q)
			p.Leave(&g)
			p.Dismiss(q)
		}
	})
}
