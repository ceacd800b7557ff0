package access

import (
	"net/netip"
	"slices"
)

// A set is networks, sorted by address, none within another: two networks are
// either apart or one within the other, so a binary search finds the only one
// that an address can be in.
type set []netip.Prefix

func newSet(networks []netip.Prefix) set {
	sorted := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		sorted = append(sorted, canonical(n))
	}
	slices.SortFunc(sorted, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits() // the larger network first
	})
	var s set
	for _, n := range sorted {
		if len(s) == 0 || !s[len(s)-1].Contains(n.Addr()) {
			s = append(s, n)
		}
	}
	return s
}

// mappedBits is how many bits of an IPv4-mapped IPv6 address come before the IPv4
// address (RFC 4291 §2.5.5.2).
const mappedBits = 96

// canonical returns the network without host bits, and as IPv4 if it is one.
func canonical(n netip.Prefix) netip.Prefix {
	if n.Addr().Is4In6() && n.Bits() >= mappedBits {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-mappedBits)
	}
	return n.Masked()
}

// has reports whether a is in one of the networks. It is neither mapped nor has
// it a zone.
func (s set) has(a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(s, a, func(n netip.Prefix, a netip.Addr) int { return n.Addr().Compare(a) })
	return found || i > 0 && s[i-1].Contains(a)
}
