package provider

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

const (
	// maxFlaps bounds how many endpoints are remembered; more are not punished.
	maxFlaps = 100_000
	// maxReports bounds how many are logged at a time.
	maxReports = 100
)

// identity is what an endpoint is known by from set to set.
type identity struct{ version, name string }

func identify(e endpoint.Endpoint) identity {
	if e.Name == "" {
		return identity{e.Version, e.Address.String()}
	}
	return identity{e.Version, e.Name}
}

// A flap is what is remembered of an endpoint that has gone.
type flap struct {
	penalty float64   // as it was
	at      time.Time // then
	free    time.Time // it is held back until then
	said    bool      // that was logged
}

// flaps remembers who has gone lately.
type flaps struct {
	o    DampOptions
	most float64 // a penalty is at most: what decays to ReuseBelow within MaxHold
	by   map[identity]*flap
}

func newFlaps(o DampOptions) *flaps {
	most := max(o.HoldAbove+1, o.ReuseBelow*math.Exp2(float64(o.MaxHold)/float64(o.HalfLife)))
	return &flaps{o, most, map[identity]*flap{}}
}

func (f *flaps) len() int { return len(f.by) }

// compare punishes those who were there before, and are not now.
func (f *flaps) compare(before, after []endpoint.Endpoint, now time.Time) {
	there := make(map[identity]bool, len(after))
	for _, e := range after {
		there[identify(e)] = true
	}
	for _, e := range before {
		if id := identify(e); !there[id] {
			there[id] = true // once, if it was told twice
			f.punish(id, now)
		}
	}
}

func (f *flaps) punish(id identity, now time.Time) {
	one := f.by[id]
	if one == nil {
		if len(f.by) >= maxFlaps {
			return
		}
		one = new(flap)
		f.by[id] = one
	}
	if !now.Before(one.free) {
		one.said = false
	}
	one.penalty = min(f.most, f.decayed(one, now)+1)
	one.at = now
	if one.penalty > f.o.HoldAbove {
		halves := math.Log2(one.penalty / f.o.ReuseBelow)
		one.free = now.Add(min(f.o.MaxHold, time.Duration(halves*float64(f.o.HalfLife))))
	}
}

// decayed is the penalty of an endpoint now.
func (f *flaps) decayed(one *flap, now time.Time) float64 {
	return one.penalty * math.Exp2(-float64(now.Sub(one.at))/float64(f.o.HalfLife))
}

// forget forgets those who are not held back, and have little left of their penalty.
func (f *flaps) forget(now time.Time) {
	for id, one := range f.by {
		if !now.Before(one.free) && f.decayed(one, now) < min(0.5, f.o.ReuseBelow/2) {
			delete(f.by, id)
		}
	}
}

// held returns who of a set is left out: no more than half of every version, and those
// first who are held back for longest.
func (f *flaps) held(set []endpoint.Endpoint, now time.Time) map[identity]bool {
	if len(f.by) == 0 {
		return nil
	}
	size, candidates := map[string]int{}, map[string][]identity{}
	seen := make(map[identity]bool, len(set))
	for _, e := range set {
		id := identify(e)
		if seen[id] {
			continue
		}
		seen[id] = true
		size[e.Version]++
		if one := f.by[id]; one != nil && now.Before(one.free) {
			candidates[e.Version] = append(candidates[e.Version], id)
		}
	}
	out := map[identity]bool{}
	for version, list := range candidates {
		slices.SortFunc(list, func(a, b identity) int {
			return cmp.Or(f.by[b].free.Compare(f.by[a].free), cmp.Compare(a.name, b.name))
		})
		for _, id := range list[:min(len(list), size[version]/2)] {
			out[id] = true
		}
	}
	return out
}

// nextFree is when the first one of a set is held back no more; zero if nobody is.
func (f *flaps) nextFree(set []endpoint.Endpoint, now time.Time) (at time.Time) {
	for _, e := range set {
		one := f.by[identify(e)]
		if one != nil && now.Before(one.free) && (at.IsZero() || one.free.Before(at)) {
			at = one.free
		}
	}
	return at
}

// report logs who is left out, once.
func (f *flaps) report(out map[identity]bool, now time.Time) {
	said := 0
	for id := range out {
		one := f.by[id]
		if one.said {
			continue
		}
		one.said = true
		if said++; said <= maxReports {
			f.o.Log.Warn("an endpoint comes and goes; it is held back", "endpoint", id.name, "version", id.version, "for", one.free.Sub(now).Round(time.Millisecond))
		}
	}
	if said > maxReports {
		f.o.Log.Warn("more endpoints come and go; they are held back", "more", said-maxReports)
	}
}
