package service

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A ruled budget is granted by a rule that never changes.
type ruled struct {
	budget
	rule Budget
}

func (b *ruled) take(requests uint64, now time.Duration) bool {
	return b.budget.take(b.rule, requests, now)
}

func (b *ruled) note(requests uint64, now time.Duration) { b.budget.note(b.rule, requests, now) }

// spend takes as many retries as there are, of those wanted.
func spend(b *ruled, requests uint64, now time.Duration, wanted int) (granted int) {
	for range wanted {
		if b.take(requests, now) {
			granted++
		}
	}
	return granted
}

func TestBudget_GrantsAShareOfTheRequests(t *testing.T) {
	b := &ruled{budget{at: time.Hour}, Budget{Ratio: 0.2}}
	if got := spend(b, 1000, time.Hour+time.Second, 1000); got != 200 {
		t.Errorf("of 1000 requests %d are retried, want a fifth", got)
	}
	if got := spend(b, 1000, time.Hour+2*time.Second, 10); got != 0 {
		t.Errorf("without further requests %d more are retried", got)
	}
}

func TestBudget_GrantsItsFloorEachSecond(t *testing.T) {
	b := &ruled{budget{at: time.Hour, floor: 10}, Budget{Floor: 10}}
	for second := range 5 {
		if got := spend(b, 0, time.Hour+time.Duration(second)*time.Second, 100); got != 10 {
			t.Errorf("in second %d there are %d retries, want 10", second, got)
		}
	}
	if got := spend(b, 0, 2*time.Hour, 100); got != 10 {
		t.Errorf("after an hour there are %d at once, want 10", got)
	}
}

func TestBudget_ForgetsWhatWasEarnedLongAgo(t *testing.T) {
	b := &ruled{budget{at: time.Hour}, Budget{Ratio: 0.2}}
	b.note(1_000_000, time.Hour+time.Second)
	now := time.Hour + time.Minute
	if got := spend(b, 1_000_100, now, 1000); got > 20 {
		t.Errorf("a minute after a million requests, 100 later, there are %d retries, want at most 20", got)
	}
}

func TestBudget_GrantsNothingWithoutAnything(t *testing.T) {
	b := new(ruled)
	if b.take(1000, time.Hour) || b.denied.Load() != 1 {
		t.Error("a budget of nothing granted a retry, or did not count that it was denied")
	}
}

func TestPercentiles_AreWithinAnEighth(t *testing.T) {
	p := new(percentiles)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		p.record(time.Duration(random.IntN(1000)) * time.Millisecond)
	}
	for percentile, want := range map[float64]time.Duration{50: 500 * time.Millisecond, 95: 950 * time.Millisecond, 99.9: 999 * time.Millisecond} {
		p.known = 0
		got, ok := p.of(percentile)
		if !ok || got < want*95/100 || got > want*115/100 {
			t.Errorf("p%v of 0 to 1000 ms is %v, want about %v", percentile, got, want)
		}
	}
}

func TestPercentiles_NeedEnough(t *testing.T) {
	p := new(percentiles)
	for range enough - 1 {
		p.record(time.Second)
	}
	if d, ok := p.of(95); ok {
		t.Errorf("%d durations make a percentile of %v", enough-1, d)
	}
}

func TestPercentiles_HaveABucketForEverything(t *testing.T) {
	last := -1
	for d := time.Duration(0); d < 3*time.Hour; d = d*9/8 + time.Microsecond {
		cell := cellOf(d)
		if cell < last || cell >= latencyCells {
			t.Fatalf("%v falls into bucket %d, after %d", d, cell, last)
		}
		if end := upperEnd(cell); cell < latencyCells-1 && (end <= d.Truncate(time.Microsecond) || float64(end) > float64(d)*1.13+2000) {
			t.Fatalf("the bucket of %v ends at %v", d, end)
		}
		last = cell
	}
}

func TestBudget_CountsOnlyRecentRequestsFromTheBeginning(t *testing.T) {
	b := &ruled{budget{at: time.Hour}, Budget{Ratio: 0.2}}
	for n := uint64(noteEvery); n <= 512; n += noteEvery {
		b.note(n, time.Hour+time.Duration(n)*time.Millisecond)
	}
	if got := spend(b, 612, time.Hour+16*time.Second, 100); got > 20 {
		t.Errorf("15 s after 500 good requests, %d of 100 failing ones are retried, want at most a fifth", got)
	}
}

func TestBudget_HeedsNoNewsThatAreOld(t *testing.T) {
	b := &ruled{budget{at: time.Hour}, Budget{Ratio: 0.2}}
	b.note(1000, time.Hour+time.Second)
	b.note(744, time.Hour)
	if got := spend(b, 1000, time.Hour+time.Second, 1000); got != 200 {
		t.Errorf("after an older count %d of 1000 requests are retried, want a fifth", got)
	}
}

func TestBudget_HeedsAnotherRule(t *testing.T) {
	b := &budget{at: time.Hour}
	b.note(Budget{Ratio: 0.2}, 1000, time.Hour)
	if b.take(Budget{}, 1000, time.Hour+20*time.Second) {
		t.Error("a rule that grants nothing any more has granted a retry")
	}
}
