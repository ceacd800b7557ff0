package registry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPauses_GrowAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pauses
		began := time.Now()
		for i := range 100 {
			before := time.Now()
			if !p.Wait(t.Context()) {
				t.Fatal("a pause ended with its context, which goes on")
			}
			bound := min(lastPause, firstPause<<min(i, 10)) + time.Millisecond
			if took := time.Since(before); took > bound {
				t.Errorf("pause %d took %v, want %v at most", i, took, bound)
			}
		}
		// Full jitter: half of the bound on average, give or take.
		if took := time.Since(began); took < 100*time.Second || took > 400*time.Second {
			t.Errorf("100 pauses took %v together", took)
		}
		p.Reset()
		before := time.Now()
		p.Wait(t.Context())
		if took := time.Since(before); took > firstPause+time.Millisecond {
			t.Errorf("the first pause after a reset took %v, want %v at most", took, firstPause)
		}
	})
}

func TestPauses_EndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := Pauses{attempt: 1000}
	if p.Wait(ctx) {
		t.Error("a pause goes on after the end of its context")
	}
}

func TestJitter_IsAQuarterMoreOrLess(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := Jitter(time.Minute)
		if d < 45*time.Second || d > 75*time.Second {
			t.Fatalf("a minute became %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 100 {
		t.Errorf("a thousand times a minute make %d different ones", len(seen))
	}
}
