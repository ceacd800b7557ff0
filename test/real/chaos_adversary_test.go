//go:build real

package real

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// An adversary does harm to endpoints, to several at a time and never to all.
type adversary struct {
	proxy   *proxy
	random  *rand.Rand
	victims []*victim
	acts    []act
	// least and most are how long it waits from one act to the next.
	least, most time.Duration
}

// A victim is somebody to whom harm can be done.
type victim struct {
	name  string // of the endpoint, as Weir and its ledger have it
	harms []harm
	rest  time.Duration // how long it is left alone at least
	brief bool          // it comes and goes: that it is well helps nobody for long

	suffers *harm     // what is done to it at present; nil: nothing
	until   time.Time // when that is to end
	act     int       // which of the acts it is
	well    time.Time // since when nothing is done to it
}

// An act is something that the adversary did, from one moment to another.
type act struct {
	from, to  time.Time // to is zero until it is over
	who, what string
	gentle    bool // it is no excuse
}

func (a act) String() string {
	return fmt.Sprintf("%s to %s, %s: %s", ledger.Clock(a.from), ledger.Clock(a.to), a.who, a.what)
}

// within reports whether the act was going on between two moments.
func (a act) within(from, to time.Time) bool {
	return a.from.Before(to) && (a.to.IsZero() || a.to.After(from))
}

// A harm can be done to a victim, and undone.
type harm struct {
	name   string
	weight int // how often it is chosen
	// least and most are how long it lasts; 0.3 s to 4 s if not given.
	least, most time.Duration
	gentle      bool // it must cost no request anything
	// useless: meanwhile the victim stays attached, or attaches, and is no good.
	useless  bool
	do, undo func(*testing.T)
}

// lasts returns how long it is to last. Short is as likely as long by orders of
// magnitude, for long ones have most requests wait.
func (h *harm) lasts(random *rand.Rand) time.Duration {
	if h.most == 0 {
		return 300*time.Millisecond + time.Duration(random.Int64N(int64(3700*time.Millisecond)))
	}
	return time.Duration(float64(h.least) * math.Pow(float64(h.most)/float64(h.least), random.Float64()))
}

// victim is b with all that can be done to it.
func (b *bookkeeper) victim() *victim {
	v := &victim{name: b.name, harms: []harm{
		{name: "kill", weight: 5, do: b.die, undo: b.start},
		{name: "freeze", weight: 4, do: b.signalled(syscall.SIGSTOP), undo: b.signalled(syscall.SIGCONT)},
		{name: "freeze and kill", weight: 1, do: b.signalled(syscall.SIGSTOP), undo: func(t *testing.T) {
			b.kill()
			b.start(t)
		}},
	}}
	if b.ns != nil {
		v.harms = append(v.harms,
			harm{name: "drop what it sends", weight: 6, do: b.ns.cutOff, undo: b.ns.restore},
			harm{name: "unplug", weight: 4, do: b.ns.unplug, undo: b.ns.plug})
	}
	v.harms = append(v.harms, b.manners()...)
	return v
}

func (b *bookkeeper) die(*testing.T) { b.kill() }

func (b *bookkeeper) signalled(s syscall.Signal) func(*testing.T) {
	return func(t *testing.T) { b.signal(t, s) }
}

// manners are the ways in which the endpoint can misbehave.
func (b *bookkeeper) manners() (all []harm) {
	for _, m := range []struct {
		how    string
		weight int
	}{{"noise", 1}, {"torn", 1}, {"short", 1}, {"long", 2}, {"twice", 3}, {"leaves", 1}, {"snubs", 1}} {
		all = append(all, harm{
			name: m.how, weight: m.weight, useless: true,
			do:   func(t *testing.T) { b.behave(t, m.how) },
			undo: func(t *testing.T) { b.behave(t, "") },
		})
	}
	return all
}

func newAdversary(seed uint64, p *proxy, victims []*victim) *adversary {
	return &adversary{
		proxy: p, victims: victims, random: rand.New(rand.NewPCG(seed, 1<<32)),
		least: 80 * time.Millisecond, most: 600 * time.Millisecond,
	}
}

// run does harm for that long, and then makes everything good again.
func (a *adversary) run(t *testing.T, d time.Duration) {
	t.Helper()
	end := time.After(d)
	for {
		select {
		case <-end:
			a.relent(t, func(*victim) bool { return true })
			return
		case <-a.proxy.done:
			t.Fatalf("weir has ended; the adversary's last acts:\n%s", a.told(time.Now().Add(-5*time.Second), time.Now()))
		case <-time.After(a.between(a.least, a.most)):
		}
		a.relent(t, func(v *victim) bool { return time.Now().After(v.until) })
		if v := a.victims[a.random.IntN(len(a.victims))]; v.suffers == nil && time.Since(v.well) > v.rest && a.mayHarm(t, v) {
			a.strike(t, v)
		}
	}
}

func (a *adversary) between(least, most time.Duration) time.Duration {
	return least + time.Duration(a.random.Int64N(int64(most-least)))
}

func (a *adversary) strike(t *testing.T, v *victim) {
	t.Helper()
	v.suffers, v.until = a.choose(v), time.Now()
	v.act = len(a.acts)
	a.acts = append(a.acts, act{from: v.until, who: v.name, what: v.suffers.name, gentle: v.suffers.gentle})
	v.until = v.until.Add(v.suffers.lasts(a.random))
	v.suffers.do(t)
}

// relent undoes the harm of those that match.
func (a *adversary) relent(t *testing.T, match func(*victim) bool) {
	t.Helper()
	for _, v := range a.victims {
		if v.suffers != nil && match(v) {
			v.suffers.undo(t)
			a.acts[v.act].to = time.Now()
			if !v.suffers.gentle {
				v.well = a.acts[v.act].to
			}
			v.suffers = nil
		}
	}
}

// choose picks a harm by weight.
func (a *adversary) choose(v *victim) *harm {
	total := 0
	for i := range v.harms {
		total += v.harms[i].weight
	}
	at, n := 0, a.random.IntN(total)
	for n >= v.harms[at].weight {
		n -= v.harms[at].weight
		at++
	}
	return &v.harms[at]
}

// convalescence is how long after its harm an endpoint counts as well: by then the
// last request that was caught by the harm has run into timeouts.response.
const convalescence = 2500 * time.Millisecond

// mayHarm reports whether another endpoint stays that is well, and that Weir knows
// to be: one that still rests because of what was done to it is no help to anybody.
func (a *adversary) mayHarm(t *testing.T, v *victim) bool {
	t.Helper()
	for _, other := range a.victims {
		if other != v && !other.brief && other.suffers == nil && time.Since(other.well) > convalescence &&
			a.proxy.metric(t, "weir_endpoint_up", fmt.Sprintf("endpoint=%q", other.name)) == 1 {
			return true
		}
	}
	return false
}

// harmed reports whether an endpoint suffered between two moments, or had not
// recovered.
func (a *adversary) harmed(name string, from, to time.Time) bool {
	return slices.ContainsFunc(a.acts, func(one act) bool {
		return one.who == name && !one.gentle && one.within(from.Add(-convalescence), to)
	})
}

// told is what was going on between two moments.
func (a *adversary) told(from, to time.Time) string {
	var lines []string
	for _, one := range a.acts {
		if one.within(from, to) {
			lines = append(lines, one.String())
		}
	}
	return strings.Join(lines, "\n")
}

// summary is how often which harm was done.
func (a *adversary) summary() string {
	counts := map[string]int{}
	for _, one := range a.acts {
		counts[one.what]++
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return fmt.Sprintf("%d acts: %s", len(a.acts), strings.Join(parts, ", "))
}
