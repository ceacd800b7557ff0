package weir

import (
	"maps"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/service"
)

// A split has the requests for a service that name no version go to versions of it,
// in proportion to their shares.
//
// Each request is a point on a line that the shares divide among them: a hash of
// what hash_on names, so that the same value always falls on the same version, or
// else the next step of a sequence that fills the line evenly. A request that falls
// on a version without endpoints falls once more, on those that have some: nobody
// else moves.
type split struct {
	shares []share
	total  uint64
	place  service.Selector
}

// A share is a version and how much of the line is its.
type share struct {
	version []byte
	size    uint64
}

// newSplit returns how a service is split; nil if it is not.
func newSplit(p *Proxy, c config.Service) *split {
	if len(c.Split) == 0 {
		return nil
	}
	s := new(split)
	for _, version := range slices.Sorted(maps.Keys(c.Split)) {
		if size := uint64(max(0, c.Split[version])); size > 0 {
			s.shares = append(s.shares, share{[]byte(version), size})
			s.total += size
		}
	}
	if c.HashOn != "" {
		s.place = p.selector(c.HashOn)
	}
	return s
}

// A turn counts the requests that were dealt out. It outlives the split.
type turn struct{ n atomic.Uint64 }

// step is what the sequence goes on by: of all numbers the golden ratio is the worst
// to approximate by fractions, so that no share sees a pattern.
const step = 0x9e3779b97f4a7c15

// choose returns the version of a service that gets a request; nil if there is none
// at all.
func (s *split) choose(x *exchange.Exchange, name string, services *catalog, t *turn) *liveService {
	point, ok := s.place.Key(x)
	if !ok {
		point = t.n.Add(1) * step
	}
	chosen := services.version(name, s.at(point, s.total, nil))
	if chosen != nil && chosen.inhabited() {
		return chosen
	}
	inhabited := func(v []byte) bool {
		other := services.version(name, v)
		return other != nil && other.inhabited()
	}
	var total uint64
	for i := range s.shares {
		if inhabited(s.shares[i].version) {
			total += s.shares[i].size
		}
	}
	if total == 0 {
		return chosen // where the request waits
	}
	if v := s.at(point*step, total, inhabited); v != nil {
		return services.version(name, v)
	}
	return chosen
}

// at returns the version at a point of a line of that length, on which are the
// shares of those versions that counts holds for; all if it is nil.
func (s *split) at(point, total uint64, counts func([]byte) bool) []byte {
	place, _ := bits.Mul64(point, total)
	for i := range s.shares {
		share := &s.shares[i]
		if counts != nil && !counts(share.version) {
			continue
		}
		if place < share.size {
			return share.version
		}
		place -= share.size
	}
	return nil // others have left or come meanwhile
}
