package provider

import (
	"bytes"
	"context"
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

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/endpoint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A script is a source that tells what the test says.
type script struct{ lines chan Update }

func (s script) Watch(ctx context.Context, update func(Update)) error {
	for {
		select {
		case u := <-s.lines:
			update(u)
		case <-ctx.Done():
			return nil
		}
	}
}

// A stage is a damped source and what it has told.
type stage struct {
	script
	log bytes.Buffer

	mu   sync.Mutex
	told []told
}

type told struct {
	Update
	at time.Time
}

func (s *stage) hear(u Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, told{u, time.Now()})
}

// heard waits until nobody does anything, and returns what was told by then.
func (s *stage) heard() []told {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// onStage runs a test in virtual time.
func onStage(t *testing.T, o DampOptions, test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{script: script{make(chan Update)}}
		o.Log = slog.New(slog.NewTextHandler(&s.log, nil))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Damped(s.script, o).Watch(ctx, s.hear) }()
		test(t, s)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Watch returned %v at its end, want nothing", err)
		}
		n := len(s.heard())
		time.Sleep(time.Hour)
		if len(s.heard()) != n {
			t.Error("it told something after Watch had returned")
		}
	})
}

func named(names string) (list []endpoint.Endpoint) {
	list = []endpoint.Endpoint{}
	for _, name := range strings.Fields(names) {
		list = append(list, endpoint.Endpoint{Name: name})
	}
	return list
}

func names(list []endpoint.Endpoint) string {
	var all []string
	for _, e := range list {
		all = append(all, e.Name)
	}
	return strings.Join(all, " ")
}

// say has the source tell a set, and lets time pass.
func (s *stage) say(set string, then time.Duration) {
	s.lines <- Update{Endpoints: named(set)}
	time.Sleep(then)
}

func (s *stage) last() told {
	all := s.heard()
	if len(all) == 0 {
		return told{}
	}
	return all[len(all)-1]
}

func (s *stage) wants(t *testing.T, want string) {
	t.Helper()
	u := s.last()
	got := names(u.Endpoints)
	if u.Err != nil {
		got = u.Err.Error()
	}
	if got != want || u.at.IsZero() {
		t.Fatalf("it told %q last, want %q", got, want)
	}
}

// flap has c go and come back n times.
func (s *stage) flap(n int, every time.Duration) {
	for range n {
		s.say("a b", every/2)
		s.say("a b c", every/2)
	}
}

func TestDamped_TellsTheFirstSetAtOnce(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		s.say("a b", 0)
		s.wants(t, "a b")
	})
}

func TestDamped_EndpointThatRestartsIsNotPunished(t *testing.T) {
	for _, times := range []int{1, 5} {
		onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
			s.say("a b c", time.Second)
			s.flap(times, time.Minute/time.Duration(times))
			s.wants(t, "a b c")
			if s.log.Len() > 0 {
				t.Errorf("after %d restarts the log says %s", times, &s.log)
			}
		})
	}
}

func TestDamped_FiveRestartsAtOnceAreNotPunishedEither(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		s.say("a b c", time.Second)
		s.flap(5, 0)
		time.Sleep(time.Second)
		s.wants(t, "a b c")
	})
}

func TestDamped_EndpointThatFlapsIsLeftOutUntilItIsForgotten(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		s.say("a b c", time.Second)
		s.flap(8, 2*time.Second)
		s.wants(t, "a b")
		time.Sleep(30 * time.Second)
		s.wants(t, "a b")
		time.Sleep(2 * time.Minute)
		s.wants(t, "a b c")
		if n := strings.Count(s.log.String(), "held back"); n != 1 || !strings.Contains(s.log.String(), "endpoint=c") {
			t.Errorf("that c is held back is logged %d times, want once:\n%s", n, &s.log)
		}
	})
}

func TestDamped_NobodyIsHeldLongerThanTheBound(t *testing.T) {
	onStage(t, DampOptions{Longest: time.Minute}, func(t *testing.T, s *stage) {
		s.say("a b c", time.Second)
		s.flap(200, 100*time.Millisecond)
		s.wants(t, "a b")
		time.Sleep(time.Minute)
		s.wants(t, "a b c")
	})
}

func TestDamped_AtMostHalfIsLeftOutAndNeverAll(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		for range 10 {
			s.say("a b c", time.Second)
			s.say("", time.Second)
		}
		s.say("a b c", time.Second)
		if list := s.last().Endpoints; len(list) != 2 {
			t.Errorf("of three that flap %q are told, want two", names(list))
		}
		s.say("a", time.Second)
		s.wants(t, "a")
		s.say("", time.Second)
		s.wants(t, "")
	})
}

func TestDamped_TheWorstAreLeftOut(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		s.say("a b", time.Second)
		for range 7 {
			s.say("", time.Second)
			s.say("a b", time.Second)
		}
		s.say("b", time.Second)
		s.say("a b", time.Second)
		s.wants(t, "b")
	})
}

func TestDamped_ChangesAreCoalescedAndNotPunished(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		for i := range 1000 {
			s.lines <- Update{Endpoints: []endpoint.Endpoint{{Name: "a", Weight: i}, {Name: "b"}}}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := len(s.heard()); n < 10 || n > 11 {
			t.Errorf("a thousand changes within a second are told as %d, want about ten", n)
		}
		if w := s.last().Endpoints[0].Weight; w != 999 {
			t.Errorf("the last weight told is %d, want the last, 999", w)
		}
		if s.log.Len() > 0 {
			t.Errorf("the log says %s", &s.log)
		}
	})
}

func TestDamped_OutageIsToldAtOnceAndIsNotHiddenByALaterSet(t *testing.T) {
	onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
		s.say("a", 10*time.Millisecond)
		s.say("a b", 10*time.Millisecond)
		s.lines <- Update{Err: errors.New("away")}
		s.wants(t, "away")
		if n := len(s.heard()); n != 2 {
			t.Errorf("it told %d things, want the first set and the outage", n)
		}
		time.Sleep(time.Second)
		s.wants(t, "away")
		if got := names(s.heard()[2].Endpoints); got != "a b" {
			t.Errorf("the set before the outage became %q, want a b", got)
		}
		s.say("a b", 0)
		s.wants(t, "a b")
	})
}

func TestDamped_ForgetsWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &damper{o: DampOptions{}.withDefaults(), update: func(Update) {}}
		w.past = newPast(w.o)
		for i := range 1000 {
			w.hear(Update{Endpoints: named(fmt.Sprint("e", i))})
		}
		time.Sleep(10 * time.Minute)
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(w.past.records); n != 0 {
			t.Errorf("after ten quiet minutes %d are remembered, want none", n)
		}
	})
}

func TestPast_IsBounded(t *testing.T) {
	p := newPast(DampOptions{}.withDefaults())
	for i := range maxRecords + 10 {
		p.punish(identity{name: fmt.Sprint(i)}, time.Now())
	}
	if n := len(p.records); n != maxRecords {
		t.Errorf("%d are remembered, want %d", n, maxRecords)
	}
}

type failing struct{}

func (failing) Watch(_ context.Context, update func(Update)) error {
	update(Update{Endpoints: named("a")})
	update(Update{Endpoints: named("b")})
	return errors.New("for good")
}

func TestDamped_SourceThatEndsHasToldItsLast(t *testing.T) {
	var last string
	err := Damped(failing{}, DampOptions{}).Watch(t.Context(), func(u Update) { last = names(u.Endpoints) })
	if err == nil || last != "b" {
		t.Errorf("it returned %v after %q, want the error of the source after b", err, last)
	}
}

// TestDamped_EndsWhereItsSourceEnded lets sources do what they like, and then be quiet.
func TestDamped_EndsWhereItsSourceEnded(t *testing.T) {
	for seed := range uint64(50) {
		onStage(t, DampOptions{}, func(t *testing.T, s *stage) {
			random := rand.New(rand.NewPCG(seed, 0))
			var said []string
			for range 200 {
				var some []string
				for _, name := range strings.Fields("a b c d e f g") {
					if random.IntN(4) > 0 {
						some = append(some, name)
					}
				}
				set := strings.Join(some, " ")
				said = append(said, set)
				n := len(s.heard())
				s.say(set, time.Duration(random.Int64N(int64(time.Second))))
				s.allowed(t, n, some)
				if random.IntN(10) == 0 {
					s.lines <- Update{Err: errors.New("away")}
				}
			}
			s.say(said[len(said)-1], time.Hour)
			s.wants(t, said[len(said)-1])
		})
	}
}

// allowed checks what was told since the source told this set.
func (s *stage) allowed(t *testing.T, since int, set []string) {
	t.Helper()
	all := s.heard()
	for i := since; i < len(all); i++ {
		u := all[i]
		if u.Err != nil {
			continue
		}
		for _, e := range u.Endpoints {
			if !slices.Contains(set, e.Name) {
				t.Fatalf("it told %q when the source told %q", names(u.Endpoints), set)
			}
		}
		if 2*len(u.Endpoints) < len(set) {
			t.Fatalf("it told only %q of %q", names(u.Endpoints), set)
		}
		for j := i - 1; j >= 0; j-- {
			if all[j].Err == nil {
				if d := u.at.Sub(all[j].at); d < 100*time.Millisecond {
					t.Fatalf("two sets were told within %v", d)
				}
				break
			}
		}
	}
}
