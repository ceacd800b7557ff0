package provider

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

// DampOptions say how [Damped] holds back. A penalty is counted in departures: each time
// an endpoint goes, 1 is added to its own, which decays.
type DampOptions struct {
	// Quiet is the least time between two sets that are told. The first change after
	// a calm time is told at once, later ones together. 0 is 100 ms.
	Quiet time.Duration
	// HalfLife is how long a penalty takes to decay to its half; 0 is 30 s.
	HalfLife time.Duration
	// HoldAbove is the penalty above which an endpoint is held back; 0 is 2.5, which
	// takes three departures in short order. ReuseBelow is the one below which it is
	// told again, HoldAbove at most; 0 is 1.
	HoldAbove, ReuseBelow float64
	// MaxHold is how long an endpoint that has come back is held back at most; 0 is
	// 2 min.
	MaxHold time.Duration
	// Log is told once who is held back, and for how long. If nil, nobody is.
	Log *slog.Logger
}

// Damped returns a source that tells what p tells, without its flapping.
//
// An endpoint that goes and comes back again and again is left out for a while, as
// routes are by route flap damping (RFC 2439). No more than half of the endpoints of a
// version are left out at a time, so a set is never made empty. An endpoint whose
// weight or other description changes is not held back. Sets that come quickly are
// told together, and the last one is never lost. An endpoint that goes is gone with
// the next set that is told. Errors are told at once; one that lasts is repeated after
// a set that had to wait.
//
// It is for sources that tell everything they have. Where each answer is a sample, such
// as DNS servers that give some of many addresses, half of them seems to come and go.
func Damped(p Provider, o DampOptions) Provider {
	o.Quiet = cmp.Or(o.Quiet, 100*time.Millisecond)
	o.HalfLife = cmp.Or(o.HalfLife, 30*time.Second)
	o.HoldAbove = cmp.Or(o.HoldAbove, 2.5)
	o.ReuseBelow = min(cmp.Or(o.ReuseBelow, 1), o.HoldAbove)
	o.MaxHold = cmp.Or(o.MaxHold, 2*time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &damped{p, o}
}

type damped struct {
	source Provider
	o      DampOptions
}

// Watch implements Provider.
func (d *damped) Watch(ctx context.Context, update func(Update)) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	updates, ended := make(chan Update), make(chan error, 1)
	go func() {
		ended <- d.source.Watch(within, func(u Update) {
			select {
			case updates <- u:
			case <-within.Done():
			}
		})
	}()
	g := &gate{o: d.o, update: update, flaps: newFlaps(d.o)}
	for {
		select {
		case u := <-updates:
			g.take(u)
		case <-g.due():
			g.act()
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			g.open()
			return err
		case <-ctx.Done():
			<-ended
			return nil
		}
	}
}

// A gate lets sets pass, one at a time.
type gate struct {
	o      DampOptions
	update func(Update)
	flaps  *flaps

	source []endpoint.Endpoint // what was told to us last
	ailing error               // the outage that lasts
	told   time.Time           // when the last set passed; zero before the first
	out    map[identity]bool   // who was left out of it
	fresh  bool                // source has changed since
	free   time.Time           // when the next one who is left out may pass
	swept  time.Time
	timer  *time.Timer
}

// take takes in what the source tells.
func (g *gate) take(u Update) {
	if g.ailing = u.Err; u.Err != nil {
		g.update(u)
		return
	}
	g.flaps.compare(g.source, u.Endpoints, time.Now())
	g.source, g.fresh = u.Endpoints, true
	g.act()
}

// due returns a channel that can be received from when there is something to do.
func (g *gate) due() <-chan time.Time {
	var at time.Time
	switch {
	case g.fresh:
		at = g.told.Add(g.o.Quiet)
	case !g.free.IsZero():
		at = later(g.free, g.told.Add(g.o.Quiet))
	}
	if sweep := g.swept.Add(g.o.HalfLife); g.flaps.len() > 0 && (at.IsZero() || sweep.Before(at)) {
		at = sweep
	}
	if at.IsZero() {
		return nil
	}
	if g.timer == nil {
		g.timer = time.NewTimer(time.Until(at))
	} else {
		g.timer.Reset(time.Until(at))
	}
	return g.timer.C
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// act lets a set pass, if one has changed and the time has come.
func (g *gate) act() {
	now := time.Now()
	if now.Sub(g.swept) >= g.o.HalfLife {
		g.flaps.forget(now)
		g.swept = now
	}
	released := !g.free.IsZero() && !now.Before(g.free)
	if !g.fresh && !released || !g.told.IsZero() && now.Sub(g.told) < g.o.Quiet {
		return
	}
	out := g.flaps.held(g.source, now)
	g.free = g.flaps.nextFree(g.source, now)
	if g.fresh || !maps.Equal(out, g.out) {
		g.pass(out, now)
	}
}

func (g *gate) pass(out map[identity]bool, now time.Time) {
	g.out, g.fresh, g.told = out, false, now
	g.flaps.report(out, now)
	list := g.source
	if len(out) > 0 {
		list = slices.DeleteFunc(slices.Clone(list), func(e endpoint.Endpoint) bool { return out[identify(e)] })
	}
	g.update(Update{Endpoints: list})
	if g.ailing != nil {
		// A set says that the outage is over, and this one does not know that.
		g.update(Update{Err: g.ailing})
	}
}

// open lets everybody pass who waits: the source has ended.
func (g *gate) open() {
	if g.fresh || len(g.out) > 0 {
		g.pass(nil, time.Now())
	}
}
