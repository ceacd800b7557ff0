package dns

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// MaxEndpoints bounds how many endpoints are told; it is logged if there are more.
const MaxEndpoints = 10_000

// A place is where an endpoint is, and its share.
type place struct {
	addr     netip.AddrPort
	priority uint16
	weight   float64
}

// families are the types of addresses that are looked for.
func (o Options) families() []dnsmessage.Type {
	switch o.Type {
	case "a":
		return []dnsmessage.Type{dnsmessage.TypeA}
	case "aaaa":
		return []dnsmessage.Type{dnsmessage.TypeAAAA}
	default:
		return []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	}
}

// find returns the places of the first name of the search list that has some, and that
// name. If a name has none or cannot be asked about, the next one is tried; but none takes
// the place of settled, whose places are in use. No places and no error: there are none.
func (r *round) find(ctx context.Context, settled string) (places []place, name string, err error) {
	var first error
	for _, name := range r.conf.names(r.o.Name) {
		places, err := r.findName(ctx, name)
		if len(places) > 0 && err == nil {
			return places, name, nil
		}
		if name == settled {
			return nil, "", err
		}
		first = either(first, err)
	}
	return nil, "", first
}

// either returns the first of two errors that is one.
func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// findName returns the places of one complete name.
func (r *round) findName(ctx context.Context, name string) ([]place, error) {
	if r.o.SRV {
		return r.findTargets(ctx, name)
	}
	var all []question
	for _, typ := range r.o.families() {
		all = append(all, question{name, typ})
	}
	var places []place
	var err error
	answered := false
	for _, f := range r.lookAll(ctx, all) {
		err = either(err, f.err)
		answered = answered || f.err == nil
		for _, rec := range f.records {
			places = r.add(places, place{addr: netip.AddrPortFrom(rec.addr, r.o.port()), weight: 1})
		}
	}
	if answered && len(places) > 0 {
		return places, nil
	}
	return nil, err
}

// port is that of endpoints whose records have none.
func (o Options) port() uint16 {
	switch {
	case o.Port != 0:
		return uint16(o.Port)
	case o.Scheme == "https":
		return 443
	default:
		return 80
	}
}

// findTargets returns the places of SRV records: those of the lowest priority that has
// some, or of all.
func (r *round) findTargets(ctx context.Context, name string) (places []place, err error) {
	f := r.look(ctx, question{name, dnsmessage.TypeSRV})
	if f.err != nil {
		return nil, f.err
	}
	byPriority := map[uint16][]record{}
	for _, rec := range f.records {
		switch {
		case rec.name == ".": // it says that the service is not offered (RFC 2782)
		case rec.port == 0:
			r.complain("SRV of %s: the port of %s is 0", name, rec.name)
		default:
			byPriority[rec.priority] = append(byPriority[rec.priority], rec)
		}
	}
	for _, priority := range priorities(byPriority) {
		more, failed := r.findHosts(ctx, byPriority[priority])
		err = either(err, failed)
		for _, p := range more {
			places = r.add(places, p)
		}
		if len(places) > 0 && !r.o.AllPriorities {
			break
		}
	}
	if len(places) > 0 {
		return places, nil
	}
	return nil, err
}

func priorities(by map[uint16][]record) (list []uint16) {
	for priority := range by {
		list = append(list, priority)
	}
	slices.Sort(list)
	return list
}

// findHosts returns the places of targets. The weight of a target with several addresses
// is shared among them.
func (r *round) findHosts(ctx context.Context, targets []record) (places []place, err error) {
	families := r.o.families()
	var all []question
	for _, t := range targets {
		for _, typ := range families {
			all = append(all, question{t.name, typ})
		}
	}
	unique := slices.Clone(all)
	slices.SortFunc(unique, func(a, b question) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.typ, b.typ)) })
	unique = slices.Compact(unique)
	found := map[question]finding{}
	for i, f := range r.lookAll(ctx, unique) {
		found[unique[i]] = f
		err = either(err, f.err)
	}
	for i, t := range targets {
		var records []record
		for _, q := range all[i*len(families) : (i+1)*len(families)] {
			records = append(records, found[q].records...)
		}
		for _, rec := range records {
			share := float64(max(1, t.weight)) / float64(len(records))
			places = append(places, place{netip.AddrPortFrom(rec.addr, t.port), t.priority, share})
		}
		if len(places) > MaxEndpoints {
			break
		}
	}
	return places, err
}

// add appends a place, if requests can go there and there is room.
func (r *round) add(places []place, p place) []place {
	switch a := p.addr.Addr(); {
	case a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		r.complain("%v is not the address of one host", a)
		return places
	case len(places) >= MaxEndpoints:
		r.complain("there are more than %d endpoints", MaxEndpoints)
		return places
	}
	return append(places, p)
}

var errNone = errors.New("there are no such records; that is believed when it was answered three times in a row")
