package balance

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// tableSizes are the sizes a Maglev table can have: primes, each about twice the
// one before.
var tableSizes = [...]int{65537, 131101, 262147, 524309, 1048583}

// entriesEach is how many entries of the table there are for each endpoint, at
// least, while larger tables are to be had. The more there are, the fewer keys
// move that need not.
const entriesEach = 32

// minRounds is how many times at least all endpoints choose entries: it keeps a
// heavy one from taking all before the others have any.
const minRounds = 16

// maxEntries bounds how many entries are tried in search of a free endpoint. They
// are anywhere in the table: those that follow an endpoint's own are more often of
// some endpoints than of others.
const maxEntries = 64

// A maglev is consistent hashing by a table, as in Google's load balancer Maglev.
type maglev struct {
	table      []int32 // places; nil if there is only one endpoint
	rendezvous *rendezvous
	lottery    *lottery
}

// NewMaglev is the policy maglev: requests of the same key go to the same
// endpoint, each having a share of the keys in proportion to its weight, more
// exactly and found more quickly than with hash. When an endpoint leaves, its keys
// move, and a few others. If an endpoint is not free, its requests are spread over
// the others. A request without a key goes to any, as with random.
//
// The order of the set does not matter.
func NewMaglev(set []Target, _ *atomic.Uint64) Picker {
	return newMaglev(set, rand.Uint64)
}

func newMaglev(set []Target, source func() uint64) Picker {
	ids, weights := identities(set), weightsOf(set)
	m := &maglev{
		rendezvous: &rendezvous{ids, weights},
		lottery:    newLottery(weights, source),
	}
	if len(set) > 1 {
		m.table = newTable(ids, weights, tableSize(len(set)))
	}
	return m
}

// Pick implements Picker.
func (m *maglev) Pick(c Candidates) int {
	key, ok := c.Key()
	if !ok || m.table == nil {
		return m.lottery.free(c)
	}
	for range maxEntries {
		key = mix(key + golden)
		if i := int(m.table[key%uint64(len(m.table))]); c.Free(i) {
			return i
		}
	}
	return m.rendezvous.pick(key, c.Free)
}

func tableSize(endpoints int) int {
	for _, size := range tableSizes {
		if size >= endpoints*entriesEach {
			return size
		}
	}
	return tableSizes[len(tableSizes)-1]
}

// newTable fills a table: round by round, each endpoint takes as many entries as
// its weight allows, those that come first in its own order of preference and are
// not taken yet.
func newTable(ids []uint64, weights []int, size int) []int32 {
	table := make([]int32, size)
	for i := range table {
		table[i] = -1
	}
	choosers, price := choosersOf(ids, weights, size)
	for left := size; ; {
		for i := range choosers {
			c := &choosers[i]
			for c.credit += c.weight; c.credit >= price; c.credit -= price {
				if left == 0 {
					return table
				}
				c.take(table)
				left--
			}
		}
	}
}

// choosersOf returns who takes part, in an order that the order of the set has no
// part in, and what an entry costs. Everybody can pay for one in the first round.
func choosersOf(ids []uint64, weights []int, size int) (all []chooser, price int) {
	sorted := slices.Sorted(slices.Values(weights))
	price = max(sorted[len(sorted)/2], minRounds*sum(weights)/size)
	for i, id := range ids {
		all = append(all, chooser{
			place:  int32(i),
			id:     id,
			weight: weights[i],
			credit: max(0, price-weights[i]),
			next:   int(mix(id) % uint64(size)),
			skip:   int(mix(id+golden)%uint64(size-1)) + 1,
		})
	}
	slices.SortFunc(all, func(a, b chooser) int { return cmp.Compare(a.id, b.id) })
	return all, price
}

// A chooser is an endpoint while the table is filled. It prefers the entries next,
// next+skip, next+2·skip and so on, around the table: as its size is prime, that
// is all of them.
type chooser struct {
	place          int32
	id             uint64
	weight, credit int
	next, skip     int
}

// take takes the first entry that is left. There has to be one.
func (c *chooser) take(table []int32) {
	for table[c.next] >= 0 {
		c.step(len(table))
	}
	table[c.next] = c.place
	c.step(len(table))
}

func (c *chooser) step(size int) {
	if c.next += c.skip; c.next >= size {
		c.next -= size
	}
}
