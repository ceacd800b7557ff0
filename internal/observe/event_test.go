package observe

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// next returns the next event, which must be there.
func next(t *testing.T, s *Subscription) (event Event, missed uint64) {
	t.Helper()
	event, missed, err := s.Next(t.Context())
	if err != nil {
		t.Fatalf("no event: %v", err)
	}
	return event, missed
}

func TestEvents_AreGivenToAllInOrder(t *testing.T) {
	e := NewEvents()
	first, second := e.Subscribe(FromNow), e.Subscribe(FromNow)
	for i := range 3 {
		e.Publish(Event{Type: "endpoint_state", To: strconv.Itoa(i)})
	}
	for name, s := range map[string]*Subscription{"first": first, "second": second} {
		at := s.At()
		for i := range 3 {
			event, missed := next(t, s)
			if event.To != strconv.Itoa(i) || event.ID != at+1 || missed != 0 || s.At() != event.ID {
				t.Errorf("the %s gets %+v with %d missed after id %d, want event %d", name, event, missed, at, i)
			}
			at = event.ID
		}
	}
}

func TestEvents_TimeIsNowUnlessItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEvents()
		s := e.Subscribe(FromNow)
		e.Publish(Event{})
		given := time.Now().Add(-time.Hour)
		e.Publish(Event{Time: given})
		if event, _ := next(t, s); !event.Time.Equal(time.Now()) {
			t.Errorf("an event without a time is of %v, want %v", event.Time, time.Now())
		}
		if event, _ := next(t, s); !event.Time.Equal(given) {
			t.Errorf("an event of %v is of %v", given, event.Time)
		}
	})
}

func TestEvents_SubscribeBeginsWhereItIsTold(t *testing.T) {
	e := NewEvents()
	past := e.Subscribe(0)
	for range 3 {
		e.Publish(Event{})
	}
	first, _ := next(t, past)
	for name, c := range map[string]struct {
		after uint64
		want  int
	}{
		"the beginning":         {0, 3},
		"an earlier run":        {first.ID - 1000, 3},
		"the first":             {first.ID, 2},
		"the last":              {first.ID + 2, 0},
		"now":                   {FromNow, 0},
		"one that is yet to be": {first.ID + 99, 0},
	} {
		s, n := e.Subscribe(c.after), 0
		for ; s.At() != first.ID+2; n++ {
			if _, missed := next(t, s); missed != 0 {
				t.Errorf("from %s: %d are missed that are kept", name, missed)
			}
		}
		if n != c.want {
			t.Errorf("from %s: %d events, want %d", name, n, c.want)
		}
	}
}

func TestEvents_TheSlowAreToldHowManyTheyMissed(t *testing.T) {
	e := NewEvents()
	s := e.Subscribe(FromNow)
	begin := s.At()
	for range keptEvents + 10 {
		e.Publish(Event{})
	}
	if event, missed := next(t, s); missed != 10 || event.ID != begin+11 {
		t.Errorf("the first event is number %d with %d missed, want 11 and 10", event.ID-begin, missed)
	}
	for i := range keptEvents - 1 {
		if event, missed := next(t, s); missed != 0 || event.ID != begin+12+uint64(i) {
			t.Fatalf("event %d follows with %d missed, want %d and none", event.ID-begin, missed, 12+i)
		}
	}
}

func TestEvents_NextWaitsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEvents()
		s := e.Subscribe(FromNow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Next without an event: %v, want the deadline's error", err)
		}
		e.Publish(Event{To: "up"})
		if _, _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next with a context that has ended: %v, want its error", err)
		}
		if event, _ := next(t, s); event.To != "up" {
			t.Errorf("what was published in between is lost; got %+v", event)
		}
		time.AfterFunc(time.Hour, func() { e.Publish(Event{To: "down"}) })
		if event, _ := next(t, s); event.To != "down" {
			t.Errorf("a waiting subscriber gets %+v, want what was published meanwhile", event)
		}
	})
}

func TestEvents_NoneIsLostUnderConcurrency(t *testing.T) {
	const publishers, subscribers, each = 4, 4, 200 // fewer than are kept
	e := NewEvents()
	var all sync.WaitGroup
	for range subscribers {
		s := e.Subscribe(FromNow)
		all.Go(func() {
			for at := s.At(); s.At() < at+publishers*each; {
				before := s.At()
				event, missed, err := s.Next(t.Context())
				if err != nil || missed != 0 || event.ID != before+1 {
					t.Errorf("after event %d comes %d with %d missed, %v", before, event.ID, missed, err)
					return
				}
			}
		})
	}
	for range publishers {
		all.Go(func() {
			for range each {
				e.Publish(Event{})
			}
		})
	}
	all.Wait()
}

func TestEvents_LongReasonsAreCut(t *testing.T) {
	e := NewEvents()
	s := e.Subscribe(FromNow)
	e.Publish(Event{Reason: "x" + strings.Repeat("é", maxReason)})
	if event, _ := next(t, s); len(event.Reason) != maxReason-1 || !utf8.ValidString(event.Reason) {
		t.Errorf("%d bytes of a long reason are kept: %q", len(event.Reason), event.Reason)
	}
}

func TestEvents_IDsGrowFromOneRunToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := NewEvents()
		for range 1000 {
			before.Publish(Event{})
		}
		time.Sleep(time.Second)
		last, after := before.Subscribe(FromNow).At(), NewEvents()
		after.Publish(Event{})
		if event, missed := next(t, after.Subscribe(last)); event.ID <= last || missed != 0 {
			t.Errorf("the first event of the next run is %d with %d missed, after %d of this one", event.ID, missed, last)
		}
		if largest := uint64(1) << 53; last >= largest {
			t.Errorf("id %d is not exact in JavaScript", last)
		}
	})
}
