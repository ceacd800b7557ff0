package balance

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// near reports whether two durations differ by no more than a part in a million.
func near(a, b time.Duration) bool {
	return math.Abs(float64(a-b)) <= 1e-6*float64(max(a, b))+1
}

func TestPeakEWMA_KnowsNothingAtFirst(t *testing.T) {
	var p PeakEWMA
	for _, now := range []time.Duration{-time.Hour, 0, time.Hour} {
		if got := p.Value(now); got != 0 {
			t.Errorf("at %v the value without an observation is %v, want 0", now, got)
		}
	}
}

func TestPeakEWMA_RisesAtOnceAndFadesSlowly(t *testing.T) {
	var p PeakEWMA
	for _, step := range []struct{ now, observe, want time.Duration }{
		{0, 10 * time.Millisecond, 10 * time.Millisecond},
		{time.Second, 400 * time.Millisecond, 400 * time.Millisecond},
		{time.Second, 10 * time.Millisecond, 400 * time.Millisecond},
		{11 * time.Second, 10 * time.Millisecond, 147151776},
		{21 * time.Second, 10 * time.Millisecond, 54134113},
		{61 * time.Second, 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		p.Observe(step.now, step.observe)
		if got := p.Value(step.now); !near(got, step.want) {
			t.Errorf("after an answer in %v at %v the value is %v, want %v", step.observe, step.now, got, step.want)
		}
	}
}

func TestPeakEWMA_ForgetsWhatWasLongAgo(t *testing.T) {
	var p PeakEWMA
	p.Observe(0, time.Second)
	if got := p.Value(time.Minute); got == 0 {
		t.Error("an answer of a minute ago is forgotten")
	}
	if got := p.Value(5 * time.Minute); got != 0 {
		t.Errorf("after five minutes without an answer the value is %v, want 0, for nothing known", got)
	}
	p.Observe(5*time.Minute, time.Millisecond)
	if got := p.Value(5 * time.Minute); !near(got, time.Millisecond) {
		t.Errorf("the first answer after a pause, in 1ms, makes the value %v", got)
	}
}

func TestPeakEWMA_CountsAFailureAsAMultiple(t *testing.T) {
	for _, test := range []struct {
		name             string
		known, d, expect time.Duration
	}{
		{"faster than the endpoint was", 10 * time.Millisecond, time.Millisecond, 50 * time.Millisecond},
		{"slower than the endpoint was", 10 * time.Millisecond, 30 * time.Millisecond, 150 * time.Millisecond},
		{"of an endpoint that nothing is known of", 0, time.Millisecond, 5 * time.Millisecond},
		{"at most a minute", 10 * time.Millisecond, 50 * time.Second, time.Minute},
		{"without improving on what is worse", 2 * time.Minute, time.Millisecond, 2 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p PeakEWMA
			if test.known > 0 {
				p.Observe(time.Second, test.known)
			}
			p.ObserveFailure(time.Second, test.d)
			if got := p.Value(time.Second); !near(got, test.expect) {
				t.Errorf("a failure after %v, when %v was known, makes the value %v, want %v", test.d, test.known, got, test.expect)
			}
		})
	}
}

func TestPeakEWMA_TakesDurationsThatMakeNoSense(t *testing.T) {
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
		var p PeakEWMA
		p.Observe(0, d)
		if got := p.Value(0); got < minObservation || !near(got, clamped(d)) {
			t.Errorf("an answer in %d ns makes the value %v, want %v", d, got, clamped(d))
		}
		p.ObserveFailure(0, d)
		if got := p.Value(0); got <= 0 || got > maxObservation+1 {
			t.Errorf("a failure after %d ns makes the value %v", d, got)
		}
	}
}

func TestPeakEWMA_WorksOnAClockThatBeginsBelowZero(t *testing.T) {
	var p PeakEWMA
	p.Observe(-time.Hour, 10*time.Millisecond)
	p.Observe(-time.Hour, 20*time.Millisecond)
	if got := p.Value(-time.Hour); !near(got, 20*time.Millisecond) {
		t.Errorf("the value is %v, want 20ms", got)
	}
}

// The value at any time is the largest of all observations, each faded by its
// age, whatever order they came in.
func TestPeakEWMA_IsTheLargestOfWhatIsLeft(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var p PeakEWMA
		want := 0.0
		for range 20 {
			at := time.Duration(random.Int64N(int64(time.Minute)))
			d := minObservation + time.Duration(random.Int64N(int64(time.Second)))
			p.Observe(at, d)
			want = max(want, float64(d)*math.Exp(-(time.Minute-at).Seconds()/fading.Seconds()))
		}
		if got := p.Value(time.Minute); !near(got, time.Duration(want)) {
			t.Fatalf("the value is %v, want %v", got, time.Duration(want))
		}
	}
}

func TestPeakEWMA_LosesNoPeakUnderConcurrency(t *testing.T) {
	var p PeakEWMA
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				p.Observe(time.Second, time.Duration(g*1000+i)*time.Microsecond)
				p.Value(time.Second)
			}
		})
	}
	wg.Wait()
	if got, want := p.Value(time.Second), 7999*time.Microsecond; !near(got, want) {
		t.Errorf("after 8000 answers at once, the slowest in %v, the value is %v", want, got)
	}
}

func TestPeakEWMA_CountsEveryFailureUnderConcurrency(t *testing.T) {
	var p PeakEWMA
	p.Observe(time.Second, 10*time.Microsecond)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { p.ObserveFailure(time.Second, 0) })
	}
	wg.Wait()
	if got, want := p.Value(time.Second), 390625*10*time.Microsecond; !near(got, want) {
		t.Errorf("after 8 failures at once the value is %v, want 5^8 times 10µs, %v", got, want)
	}
}

func TestPeakEWMA_AllocatesNothing(t *testing.T) {
	var p PeakEWMA
	now := time.Duration(0)
	n := testing.AllocsPerRun(1000, func() {
		now += time.Millisecond
		p.Observe(now, 10*time.Millisecond)
		p.ObserveFailure(now, time.Millisecond)
		p.Value(now)
	})
	if n != 0 {
		t.Errorf("two observations and a look allocate %v times", n)
	}
}
