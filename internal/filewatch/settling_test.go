package filewatch

import (
	"testing"
	"testing/synctest"
	"time"
)

// settledAfter notes something at every pace, so many times, and returns when it was
// over.
func settledAfter(pace time.Duration, times int) time.Duration {
	s := settling{quiet: 100 * time.Millisecond, most: time.Second}
	defer s.stop()
	began := time.Now()
	for range times {
		s.note()
		select {
		case <-s.over():
			return time.Since(began)
		case <-time.After(pace):
		}
	}
	<-s.over()
	return time.Since(began)
}

func TestSettling_WaitsForQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took := settledAfter(50*time.Millisecond, 5); took != 300*time.Millisecond {
			t.Errorf("changes from 0 to 200 ms settled after %v, want 100 ms after the last", took)
		}
	})
}

func TestSettling_DoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took := settledAfter(50*time.Millisecond, 1000); took > 1050*time.Millisecond {
			t.Errorf("changes that do not end settled after %v, want about a second", took)
		}
	})
}

func TestSettling_BeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settling{quiet: 100 * time.Millisecond, most: time.Second}
		defer s.stop()
		if s.over() != nil {
			t.Error("nothing has happened, and it can be over")
		}
		s.note()
		<-s.over()
		s.settle()
		if s.over() != nil {
			t.Error("it has settled, and can be over again")
		}
		time.Sleep(time.Hour)
		began := time.Now()
		s.note()
		<-s.over()
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("the next change settled after %v, want 100 ms", took)
		}
	})
}
