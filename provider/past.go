package provider

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/weirproxy/weir/endpoint"
)

const (
	// maxRecords bounds the endpoints that are remembered. Of more, it is not known
	// that they flap.
	maxRecords = 100_000
	// forgotten is the penalty that makes no difference any more.
	forgotten = 0.5
)

// An identity is who an endpoint is among those of its service.
type identity struct{ version, name string }

func identify(e endpoint.Endpoint) identity {
	if e.Name == "" {
		return identity{e.Version, e.Address.String()}
	}
	return identity{e.Version, e.Name}
}

// A record is what is known of an endpoint that has gone lately.
type record struct {
	penalty float64   // at the time
	at      time.Time // when it went last
	held    time.Time // since when it is held back; zero if it is not
	noted   bool      // that it is held back has been logged
}

// A past remembers who has gone lately.
type past struct {
	o       DampOptions
	records map[identity]*record
}

func newPast(o DampOptions) *past { return &past{o, map[identity]*record{}} }

// charge punishes whoever was in the one set and is not in the other.
func (p *past) charge(before, after []endpoint.Endpoint, now time.Time) {
	if len(before) == 0 {
		return
	}
	gone := make(map[identity]bool, len(before))
	for _, e := range before {
		gone[identify(e)] = true
	}
	for _, e := range after {
		delete(gone, identify(e))
	}
	for id := range gone {
		p.punish(id, now)
	}
}

func (p *past) punish(id identity, now time.Time) {
	r := p.records[id]
	if r == nil {
		if len(p.records) >= maxRecords {
			return
		}
		r = &record{}
		p.records[id] = r
	}
	r.penalty, r.at = p.left(r, now)+1, now
	if r.penalty > p.o.Suppress && r.held.IsZero() {
		r.held, r.noted = now, false
	}
}

// left is what is left of a penalty.
func (p *past) left(r *record, now time.Time) float64 {
	return r.penalty * math.Exp2(-float64(now.Sub(r.at))/float64(p.o.HalfLife))
}

// free is when who is held back is let in again, as far as is known now.
func (p *past) free(r *record) time.Time {
	d := max(float64(p.o.HalfLife)*math.Log2(r.penalty/p.o.Reuse), 0)
	latest := r.held.Add(p.o.Longest)
	// Compared as numbers: so long a time may be no Duration.
	if d >= float64(latest.Sub(r.at)) {
		return latest
	}
	return r.at.Add(time.Duration(d))
}

// settle lets in again whose time is over, and forgets whose penalty has been
// forgotten. It reports whether it let somebody in.
func (p *past) settle(now time.Time) (freed bool) {
	for id, r := range p.records {
		if !r.held.IsZero() && !now.Before(p.free(r)) {
			// Whoever has been held for the longest time begins anew at Reuse.
			r.penalty, r.at, r.held = min(p.left(r, now), p.o.Reuse), now, time.Time{}
			freed = true
		}
		if r.held.IsZero() && p.left(r, now) < forgotten {
			delete(p.records, id)
		}
	}
	return freed
}

// next is when settle has something to do again; zero if never.
func (p *past) next(now time.Time) (next time.Time) {
	for _, r := range p.records {
		if !r.held.IsZero() {
			next = earlier(next, p.free(r))
		}
	}
	if len(p.records) > 0 { // some may be forgotten by then
		next = earlier(next, now.Add(p.o.HalfLife))
	}
	return next
}

// without returns the set without those that are held back: the worst, if they were
// more than half of it.
func (p *past) without(set []endpoint.Endpoint, now time.Time) []endpoint.Endpoint {
	out := p.worst(set, now)
	if len(out) == 0 {
		return set
	}
	left := make([]endpoint.Endpoint, 0, len(set)-len(out))
	for i, e := range set {
		if _, ok := out[i]; !ok {
			left = append(left, e)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(out)) {
		p.note(set[i], out[i], now)
	}
	return left
}

// worst returns whom of a set to leave out, by their places.
func (p *past) worst(set []endpoint.Endpoint, now time.Time) map[int]*record {
	out := map[int]*record{}
	for i, e := range set {
		if r := p.records[identify(e)]; r != nil && !r.held.IsZero() {
			out[i] = r
		}
	}
	if spare := len(out) - len(set)/2; spare > 0 {
		ranked := slices.SortedFunc(maps.Keys(out), func(a, b int) int {
			return cmp.Or(cmp.Compare(p.left(out[a], now), p.left(out[b], now)), cmp.Compare(a, b))
		})
		for _, i := range ranked[:spare] {
			delete(out, i)
		}
	}
	return out
}

func (p *past) note(e endpoint.Endpoint, r *record, now time.Time) {
	if r.noted {
		return
	}
	r.noted = true
	p.o.Log.Warn("an endpoint comes and goes, and is held back", "endpoint", identify(e).name, "version", e.Version,
		"for", p.free(r).Sub(now).Round(time.Second))
}
