package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestLimiter_NeverAdmitsMoreThanItSays has many goroutines ask for a few keys, in
// virtual time, with room for fewer keys than there are: whatever is forgotten,
// no key gets more than burst + rate × t.
func TestLimiter_NeverAdmitsMoreThanItSays(t *testing.T) {
	const workers, asked = 50, 200
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 6585))
			o := Options{Requests: 1 + r.Int64N(20), Per: time.Duration(1 + r.Int64N(int64(time.Second))), Burst: 1 + r.Int64N(30), MaxKeys: 1 + r.IntN(6)}
			l := limiter(t, o)
			var passed [8]atomic.Int64
			start := time.Now()
			check := func() {
				for i := range passed {
					most := o.Burst + int64(float64(o.Requests)*float64(time.Since(start))/float64(o.Per)+1e-6)
					if got := passed[i].Load(); got > most {
						t.Errorf("%+v: %v after the beginning %d requests of one key have passed, want %d at most", o, time.Since(start), got, most)
					}
				}
			}
			var all sync.WaitGroup
			for w := range workers {
				r := rand.New(rand.NewPCG(seed, uint64(w)))
				all.Go(func() {
					for range asked {
						i := (r.IntN(3) + int(time.Since(start)/(2*o.Per))) % len(passed) // some rest
						if l.Check(fmt.Append(nil, i)) == nil {
							passed[i].Add(1)
						}
						if r.IntN(4) == 0 {
							time.Sleep(time.Duration(r.Int64N(int64(o.Per))))
						}
					}
				})
			}
			all.Go(func() {
				for range 100 {
					time.Sleep(o.Per / 2)
					check()
				}
			})
			all.Wait()
			check()
		})
	}
}

// TestLimiter_AdmitsWhatItSays is the other half: who asks as often as the rate
// says is never refused, whoever else asks how often.
func TestLimiter_AdmitsWhatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Options{Requests: 10, Per: time.Second, Burst: 5})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				for range 500 {
					if f := l.Check(fmt.Append(nil, "steady ", i)); f != nil {
						t.Errorf("a client within its rate is refused: %v", f)
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
			all.Go(func() {
				for range 5000 {
					_ = l.Check([]byte("greedy"))
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		all.Wait()
	})
}

func TestLimiter_KeysTakeTheirDebtAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Options{Requests: 1, Per: time.Second, Burst: 10, MaxKeys: 1})
		admitted(l, "a", 1)
		if got := admitted(l, "b", 99); got != 10 {
			t.Fatalf("a key without room gets %d requests, want 10", got)
		}
		time.Sleep(time.Second) // a is full again, and forgotten for b
		if got := admitted(l, "b", 99); got != 1 {
			t.Errorf("a key that gets a bucket of its own has %d requests more, want 1", got)
		}
	})
}

func TestLimiter_RemembersNoMoreKeysThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, most := range []int{1, 100, 10_000} {
			l := limiter(t, Options{Requests: 1, Per: time.Second, Burst: 2, MaxKeys: most})
			for i := range 4 * most {
				_ = l.Check(fmt.Append(nil, i))
				if i%most == most/2 {
					time.Sleep(time.Second)
				}
			}
			known := 0
			for i := range l.stripes {
				s := &l.stripes[i]
				known += len(s.index)
				if len(s.index) > len(s.entries) {
					t.Errorf("%d keys have %d buckets", len(s.index), len(s.entries))
				}
			}
			if known > most+len(l.stripes) {
				t.Errorf("%d keys are remembered, want %d at most", known, most)
			}
		}
	})
}

func TestLimiter_SharesOneBucketWhereThereIsNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, Options{Requests: 1, Per: time.Second, Burst: 3, MaxKeys: 2})
		if got := admitted(l, "a", 9) + admitted(l, "b", 9); got != 6 {
			t.Fatalf("two keys for which there is room get %d requests, want 3 each", got)
		}
		passed := 0
		for i := range 100 {
			passed += admitted(l, fmt.Sprint("invented ", i), 1)
		}
		if passed != 3 {
			t.Errorf("a hundred keys without room get %d requests together, want 3", passed)
		}
		time.Sleep(3 * time.Second) // a and b are full again, and forgotten
		if got := admitted(l, "c", 9) + admitted(l, "d", 9); got != 6 {
			t.Errorf("two new keys in the place of forgotten ones get %d requests, want 3 each", got)
		}
	})
}
