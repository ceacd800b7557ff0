package provider

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

// DampOptions say what counts as flapping. What is left out, or makes no sense, is as
// the fields say.
type DampOptions struct {
	// HalfLife is the time in which half of a penalty is forgotten; 0 is a minute.
	HalfLife time.Duration
	// Suppress is the penalty above which an endpoint is held back; each time that
	// it goes costs 1. 0 is 5.
	Suppress float64
	// Reuse is the penalty at which it is let in again; 0, or more than Suppress, is
	// half of Suppress.
	Reuse float64
	// Longest is the time after which it is let in again in any case; 0 is five
	// minutes.
	Longest time.Duration
	// Gap is the least time between two sets that are told; 0 is 100 milliseconds.
	Gap time.Duration
	// Log is told, once each time, who is held back and for how long. If nil, nobody is.
	Log *slog.Logger
}

func (o DampOptions) withDefaults() DampOptions {
	o.HalfLife = cmp.Or(max(o.HalfLife, 0), time.Minute)
	o.Longest = cmp.Or(max(o.Longest, 0), 5*time.Minute)
	o.Gap = cmp.Or(max(o.Gap, 0), 100*time.Millisecond)
	if !(o.Suppress > 0) { // nor is it NaN
		o.Suppress = 5
	}
	if !(o.Reuse > 0 && o.Reuse <= o.Suppress) {
		o.Reuse = o.Suppress / 2
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Damped returns a provider that tells what p tells, but for what comes too often.
//
// An endpoint that goes away and comes back again and again is held back, as routes
// are that flap (RFC 2439): each time that it goes costs a penalty, which is forgotten
// by and by. With too high a penalty it is left out until that has fallen, never
// longer than a bound. At most half of what the source tells is left out, the worst
// first, so that a set never becomes empty by it. Endpoints that change without
// going are not held back.
//
// The first set is told at once. Later ones have a least time between them; the last
// one is always told. Outages are told at once.
func Damped(p Provider, o DampOptions) Provider { return &damped{p, o.withDefaults()} }

type damped struct {
	from Provider
	o    DampOptions
}

// Watch implements Provider.
func (d *damped) Watch(ctx context.Context, update func(Update)) error {
	w := &damper{o: d.o, update: update, past: newPast(d.o)}
	err := d.from.Watch(ctx, w.hear)
	w.end(ctx)
	return err
}

// A damper stands between one watch and whoever listens.
type damper struct {
	o      DampOptions
	update func(Update)

	// mu is held while update is called, too: calls come one after the other.
	mu    sync.Mutex
	past  *past
	set   []endpoint.Endpoint // what the source has told last
	err   error               // since then it has told this
	due   bool                // set has not been told yet
	last  time.Time           // when a set was told last
	timer *time.Timer
	ended bool
}

// hear takes what the source tells.
func (w *damper) hear(u Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = u.Err
	if u.Err != nil {
		w.update(u)
		return
	}
	now := time.Now()
	w.past.charge(w.set, u.Endpoints, now)
	w.set, w.due = u.Endpoints, true
	w.attend(now)
}

// attend does what is to be done now, and sets the timer for what is to be done later.
func (w *damper) attend(now time.Time) {
	if w.past.settle(now) {
		w.due = true
	}
	if w.due && now.Sub(w.last) >= w.o.Gap {
		w.tell(now)
	}
	next := w.past.next(now)
	if w.due {
		next = earlier(next, w.last.Add(w.o.Gap))
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	if !next.IsZero() {
		w.timer = time.AfterFunc(next.Sub(now), w.wake)
	}
}

func (w *damper) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.attend(time.Now())
	}
}

func (w *damper) tell(now time.Time) {
	w.due, w.last = false, now
	w.update(Update{Endpoints: w.past.without(w.set, now)})
	if w.err != nil { // a set says that the source can be asked, which it cannot
		w.update(Update{Err: w.err})
	}
}

// end is called when the source tells nothing any more. What it has told last is not
// withheld if it ended by itself.
func (w *damper) end(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.due && ctx.Err() == nil {
		w.tell(time.Now())
	}
}

// earlier returns the earlier one of two times; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
