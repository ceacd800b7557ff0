package provider

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

func TestDamped_PassesTheFirstSetAndTheFirstChangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{})
		l.tells("a b")
		l.wants(t, "at first", "a b")
		time.Sleep(time.Second)
		l.tells("a b c")
		l.wants(t, "when it changes", "a b c")
		l.tells("a", "b", "")
		l.wants(t, "when it changes quickly")
		time.Sleep(100 * time.Millisecond)
		l.wants(t, "after a moment", "")
	})
}

func TestDamped_TellsChangesTogetherAndTheLastOneAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{Quiet: 200 * time.Millisecond})
		for i := range 1000 {
			l.source <- Update{Endpoints: []endpoint.Endpoint{{Name: "a", Weight: i + 1}}}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := len(l.heard()); n != 6 {
			t.Errorf("a thousand changes within a second are told in %d sets, want 6", n)
		}
		if last, _ := l.last(); last[0].Weight != 1000 {
			t.Errorf("the last weight that is told is %d, want 1000", last[0].Weight)
		}
	})
}

// A diary is a log that is kept.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(b)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

func TestDamped_HoldsBackWhoComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log diary
		l := damp(t, DampOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
		l.tells("a b c")
		time.Sleep(time.Second)
		l.flaps(2, "a b", "a b c")
		l.wants(t, "when it has gone twice", "a b c", "a b", "a b c", "a b", "a b c")
		l.flaps(3, "a b", "a b c")
		l.wants(t, "when it goes on", "a b", "a b", "a b", "a b", "a b", "a b")
		if n := strings.Count(log.String(), "held back"); n != 1 || !strings.Contains(log.String(), "endpoint=c") {
			t.Errorf("the log says it %d times, want once:\n%s", n, log.String())
		}
		time.Sleep(30 * time.Second)
		l.wants(t, "before its penalty has decayed")
		time.Sleep(60 * time.Second)
		l.wants(t, "after it", "a b c")
		time.Sleep(10 * time.Minute)
		l.flaps(3, "a b", "a b c")
		if n := strings.Count(log.String(), "held back"); n != 2 {
			t.Errorf("the log says it %d times after the second time, want 2:\n%s", n, log.String())
		}
	})
}

func TestDamped_HoldsNobodyBackForLongerThanItsBound(t *testing.T) {
	for _, longest := range []time.Duration{5 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			l := damp(t, DampOptions{MaxHold: longest})
			l.tells("a b c")
			l.flaps(100, "a b", "a b c")
			if told := l.heard(); told[len(told)-1] != "a b" {
				t.Errorf("who has gone a hundred times is told: %q", told[len(told)-1])
			}
			time.Sleep(longest)
			l.wants(t, fmt.Sprintf("after %v", longest), "a b c")
		})
	}
}

func TestDamped_LeavesOutHalfAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{})
		l.tells("a b c d e x@v1 y@v2 z@v2")
		l.flaps(5, "e", "a b c d e x@v1 y@v2 z@v2")
		l.tells("a b c d e x@v1 y@v2 z@v2 f")
		time.Sleep(time.Second)
		told := l.heard()
		if got := told[len(told)-1]; got != "d e x@v1 z@v2 f" {
			t.Errorf("of a to d, x, y and z, who come and go, %q are told, want half of each version at least", got)
		}
		l.tells("a")
		time.Sleep(time.Second)
		l.wants(t, "when only one is left", "a")
		l.tells("")
		time.Sleep(time.Second)
		l.wants(t, "when none is left", "")
	})
}

func TestDamped_HoldsNobodyBackWhoseDescriptionChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{})
		for i := range 1000 {
			l.source <- Update{Endpoints: []endpoint.Endpoint{{Name: "a", Weight: i}, {Address: endpoint.Address{Network: "tcp", Host: "b"}, Weight: i}}}
			time.Sleep(150 * time.Millisecond)
		}
		sets, _ := l.history()
		for _, list := range sets {
			if len(list) != 2 {
				t.Fatalf("it is told %v", list)
			}
		}
		if len(sets) != 1000 {
			t.Errorf("a thousand changes that are not quick are told in %d sets", len(sets))
		}
	})
}

func TestDamped_PassesErrorsAtOnceAndRepeatsOneThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{})
		away := Update{Err: errors.New("away")}
		l.source <- away
		l.tells("a b", "a b c")
		l.source <- away
		l.wants(t, "at first", "error: away", "a b", "error: away")
		time.Sleep(time.Second)
		l.wants(t, "with a set that had to wait", "a b c", "error: away")
		l.flaps(3, "a b", "a b c")
		l.heard()
		l.source <- away
		time.Sleep(time.Hour)
		l.wants(t, "when somebody is held back no more in an outage", "error: away", "a b c", "error: away")
		l.tells("a b c")
		l.wants(t, "after the outage", "a b c")
	})
}

func TestDamped_ForgetsWhoHasGoneForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{o: Damped(nil, DampOptions{}).(*damped).o, update: func(Update) {}}
		g.flaps = newFlaps(g.o)
		for i := range 1000 {
			g.take(Update{Endpoints: set(fmt.Sprintf("a e%d", i))})
			time.Sleep(10 * time.Second)
			g.act()
		}
		if n := g.flaps.len(); n > 20 {
			t.Errorf("%d of a thousand that went are remembered", n)
		}
		for range 10 {
			<-g.due()
			g.act()
			if g.flaps.len() == 0 {
				break
			}
		}
		if n := g.flaps.len(); n > 0 || g.due() != nil {
			t.Errorf("after a calm time %d are remembered, and something is due: %v", n, g.due() != nil)
		}
		for i := range maxFlaps + 10 {
			g.flaps.punish(identity{"", fmt.Sprint(i)}, time.Now())
		}
		if n := g.flaps.len(); n != maxFlaps {
			t.Errorf("%d are remembered, want %d at most", n, maxFlaps)
		}
	})
}

func TestDamped_EndsWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := damp(t, DampOptions{})
		l.tells("a b")
		l.flaps(5, "a", "a b")
		l.heard()
		close(l.source)
		l.wants(t, "at the end", "a b")
		if err := l.leave(); err == nil || err.Error() != "it has ended" {
			t.Errorf("Watch returned %v, want the error of its source", err)
		}
		other := damp(t, DampOptions{})
		other.tells("a")
		if err := other.leave(); err != nil {
			t.Errorf("Watch returned %v at the end of its context, want nothing", err)
		}
	})
}

// TestDamped_TellsWhatItsSourceToldInTheEnd tries random histories.
func TestDamped_TellsWhatItsSourceToldInTheEnd(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			o := DampOptions{Quiet: time.Duration(1+random.IntN(300)) * time.Millisecond}
			l := damp(t, o)
			var last Update
			for range 200 {
				last = Update{Endpoints: randomSet(random)}
				if random.IntN(20) == 0 {
					l.source <- Update{Err: errors.New("away")}
				}
				l.source <- last
				l.check(t, seed, last.Endpoints)
				time.Sleep(time.Duration(random.ExpFloat64() * float64(time.Second)))
			}
			time.Sleep(3 * time.Minute)
			sets, at := l.history()
			if got, want := inWords(sets[len(sets)-1]), inWords(last.Endpoints); got != want {
				t.Errorf("seed %d: in the end it is told %q, want %q", seed, got, want)
			}
			for i := 1; i < len(at); i++ {
				if apart := at[i].Sub(at[i-1]); apart < o.Quiet {
					t.Fatalf("seed %d: two sets are %v apart, want %v", seed, apart, o.Quiet)
				}
			}
		})
	}
}

// randomSet has each of a few endpoints more often than not.
func randomSet(random *rand.Rand) []endpoint.Endpoint {
	var words []string
	for _, name := range []string{"a", "b", "c", "d", "a@v1", "b@v1", "e@v2"} {
		if random.IntN(3) > 0 {
			words = append(words, name)
		}
	}
	return set(strings.Join(words, " "))
}

// check looks at the set that was told last, if that was just now: it is at least half of
// each version that there is.
func (l *listener) check(t *testing.T, seed uint64, source []endpoint.Endpoint) {
	t.Helper()
	told, at := l.last()
	if !at.Equal(time.Now()) {
		return
	}
	count := func(list []endpoint.Endpoint) map[string]int {
		n := map[string]int{}
		for _, e := range list {
			n[e.Version]++
		}
		return n
	}
	there, passed := count(source), count(told)
	for version, n := range there {
		if passed[version] < n-n/2 {
			t.Errorf("seed %d: of %q only %q are told", seed, inWords(source), inWords(told))
		}
	}
	for _, e := range told {
		if !slices.ContainsFunc(source, func(o endpoint.Endpoint) bool { return identify(o) == identify(e) }) {
			t.Errorf("seed %d: %q are told of %q", seed, inWords(told), inWords(source))
		}
	}
}
