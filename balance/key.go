package balance

import "encoding/binary"

// golden is 2^64 divided by the golden ratio: multiples of it are far apart.
const golden = 0x9e3779b97f4a7c15

// Key returns a hash of b to place a request by. It is the same in every process
// and on every machine, will not change, and allocates nothing. Whoever chooses b
// can find others with the same hash; it protects nothing.
func Key(b []byte) uint64 {
	h := golden * uint64(len(b)+1)
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(b))
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		h = mix(h ^ binary.LittleEndian.Uint64(last[:]))
	}
	return mix(h)
}

// mix spreads every bit of a number over all bits of the result, which differs for
// different numbers (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// identities returns a number for every endpoint that depends on nothing but its
// name. Endpoints of the same name, which have no identity of their own, get
// different ones.
func identities(set []Target) []uint64 {
	ids := make([]uint64, len(set))
	seen := make(map[string]uint64, len(set))
	for i, t := range set {
		ids[i] = Key([]byte(t.Name))
		if again := seen[t.Name]; again > 0 {
			ids[i] = mix(ids[i] + again*golden)
		}
		seen[t.Name]++
	}
	return ids
}
