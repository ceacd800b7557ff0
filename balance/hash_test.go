package balance

import "testing"

// withKey returns a state in which the request is placed by a key.
func withKey(key uint64, s *state) *state {
	s.key, s.keyed = key, true
	return s
}

func TestHash_PlacesAKeyAlwaysAtTheSame(t *testing.T) {
	a, b := NewHash(equal(10), nil), NewHash(equal(10), nil)
	for key := range uint64(1000) {
		c := withKey(key, busy())
		if one, other := a.Pick(c), b.Pick(c); one != other || a.Pick(c) != one {
			t.Fatalf("key %d is placed at %d, and by another picker at %d", key, one, other)
		}
	}
}

func TestHash_GoesClockwiseFromWhoIsNotFree(t *testing.T) {
	h := NewHash(equal(5), nil).(*hash)
	for key := range uint64(500) {
		home := h.Pick(withKey(key, busy()))
		node := h.ring.node(mix(key))
		next := home
		for next == home {
			node = h.ring.after(node)
			next = int(h.ring.places[node])
		}
		if got := h.Pick(withKey(key, busy(home))); got != next {
			t.Fatalf("key %d, whose endpoint %d is busy, goes to %d, want the next on the ring, %d", key, home, got, next)
		}
	}
}

// An endpoint may have 1.25 times its share of what is under way with the new
// request, rounded up, and no more. Where the key belongs, it goes if it can.
func TestHash_BoundsTheLoadOfEach(t *testing.T) {
	random, turnedAway := seeded(), 0
	for n := 2; n < 12; n++ {
		set := equal(n)
		for i := range set {
			set[i].Weight = 1 + int(random()%4)
		}
		h := NewHash(set, nil).(*hash)
		for range 200 {
			c := withKey(random(), busy())
			c.inFlight = make([]int, n)
			for i := range n {
				c.inFlight[i], c.busy[i] = int(random()%20), random()%4 == 0
			}
			hasRoom := roomy(set, c)
			got, home := h.Pick(c), int(h.ring.places[h.ring.node(mix(c.key))])
			if got >= 0 && !hasRoom(got) {
				t.Fatalf("of %+v endpoint %d is picked, with %v under way and %v busy", set, got, c.inFlight, c.busy)
			}
			if hasRoom(home) && got != home {
				t.Fatalf("endpoint %d is picked, although %d, where the key belongs, has room", got, home)
			}
			if !hasRoom(home) {
				turnedAway++
			}
		}
	}
	if turnedAway < 200 {
		t.Errorf("in %d of 2000 cases there was no room where the key belongs, too few to say anything", turnedAway)
	}
}

// roomy tells which endpoints of a set are free and may get one more request.
func roomy(set []Target, c *state) func(i int) bool {
	requests, weight := 1, 0
	for i, target := range set {
		if !c.busy[i] {
			requests += c.inFlight[i]
			weight += target.Weight
		}
	}
	return func(i int) bool {
		return !c.busy[i] && float64(c.inFlight[i]) < max(8, 1.25*float64(requests*set[i].Weight)/float64(weight))
	}
}

func TestHash_FindsTheOnlyFreeOneOfMany(t *testing.T) {
	const n = 10_000
	h := NewHash(equal(n), nil)
	for _, only := range []int{0, 4711, n - 1} {
		c := withKey(42, allBut(n, only))
		c.inFlight = make([]int, n)
		c.inFlight[only] = 50
		if got := h.Pick(c); got != only {
			t.Errorf("endpoint %d is picked, want the only free one, %d", got, only)
		}
	}
}

// What is under way is estimated in large sets, well enough for a hot key to be
// passed on and for others not to be.
func TestHash_BoundsLoadsOfLargeSetsByASample(t *testing.T) {
	const n = 5000
	h := newHash(equal(n), seeded()).(*hash)
	c := withKey(0, busy())
	c.inFlight = make([]int, n)
	for i := range c.inFlight {
		c.inFlight[i] = 5
		if i >= n/2 {
			c.inFlight[i] = 15
		}
	}
	for c.key = range 200 {
		home := int(h.ring.places[h.ring.node(mix(c.key))])
		before := c.inFlight[home]
		c.inFlight[home] = 14
		if got := h.Pick(c); got == home {
			t.Fatal("an endpoint with 14 requests under way is picked, although the mean is 10")
		}
		c.inFlight[home] = 11
		if got := h.Pick(c); got != home {
			t.Fatal("an endpoint with 11 requests under way is passed over, although the mean is 10")
		}
		c.inFlight[home] = before
	}
}

func TestHash_IsRandomWithoutAKey(t *testing.T) {
	p := newHash(weighted(2, 1, 1), seeded())
	share(t, "without a key", count(t, p, busy(), 3, 20_000), []int{2, 1, 1})
	share(t, "without a key, one busy", count(t, p, busy(1), 3, 20_000), []int{2, 0, 1})
}

func TestRendezvous_IsFairToWeightsAndMovesOnlyWhoHasTo(t *testing.T) {
	weights := []int{4, 2, 1, 1}
	r := &rendezvous{identities(weighted(weights...)), weights}
	counts, moved := make([]int, 4), make([]int, 4)
	for key := range uint64(40_000) {
		home := r.pick(mix(key), func(int) bool { return true })
		counts[home]++
		other := r.pick(mix(key), func(i int) bool { return i != 1 })
		if home != 1 && other != home {
			t.Fatalf("without endpoint 1, key %d goes from %d to %d", key, home, other)
		}
		if home == 1 {
			moved[other]++
		}
	}
	share(t, "all keys", counts, weights)
	share(t, "the keys of who left", moved, []int{4, 0, 1, 1})
}
