package balance

import (
	"sync"
	"testing"
	"time"
)

// names are the policies that configurations know.
var names = []string{"round_robin", "random", "first", "least_load", "hash", "maglev"}

// loaded returns a state in which n free endpoints have requests under way, and
// requests have keys.
func loaded(n int) *state {
	s := &state{keyed: true, inFlight: make([]int, n), latency: make([]time.Duration, n)}
	for i := range n {
		s.inFlight[i] = 1 + i%3
		s.latency[i] = time.Duration(1+i%7) * time.Millisecond
	}
	return s
}

func TestNamed_KnowsThePoliciesAndNoOthers(t *testing.T) {
	for _, name := range names {
		if p, ok := Named(name); !ok || p == nil {
			t.Errorf("%s is not known", name)
		}
	}
	for _, name := range []string{"", "Random", "round-robin", "p2c"} {
		if p, ok := Named(name); ok || p != nil {
			t.Errorf("%q is known", name)
		}
	}
}

// each runs a test for every policy, with and without keys.
func each(t *testing.T, test func(t *testing.T, policy Policy, keyed bool)) {
	for _, name := range names {
		policy, _ := Named(name)
		t.Run(name, func(t *testing.T) { test(t, policy, false) })
		t.Run(name+" with keys", func(t *testing.T) { test(t, policy, true) })
	}
}

// Whatever the policy, the weights, and who is free, an endpoint that is free is
// picked if there is one.
func TestPolicy_PicksSomebodyFreeIfThereIsOne(t *testing.T) {
	each(t, func(t *testing.T, policy Policy, keyed bool) {
		random := seeded()
		for _, n := range []int{1, 2, 3, 4, 10, 300} {
			set := equal(n)
			for i := range set {
				set[i].Weight = int(random() % 5)
			}
			p := policy(set, nil)
			for round := range uint64(40) {
				c := loaded(n)
				c.keyed, c.busy = keyed, map[int]bool{}
				free := 0
				for i := range n {
					c.busy[i] = random()%8 < round%9
					if !c.busy[i] {
						free++
					}
				}
				c.key = random()
				switch i := p.Pick(c); {
				case free == 0 && i != -1:
					t.Fatalf("endpoint %d of %d is picked, although none is free", i, n)
				case free > 0 && (i < 0 || i >= n || c.busy[i]):
					t.Fatalf("%d is picked of %d endpoints, of which %d are free", i, n, free)
				}
			}
		}
	})
}

func TestPolicy_AllocatesNothingPerPick(t *testing.T) {
	each(t, func(t *testing.T, policy Policy, keyed bool) {
		for _, c := range []*state{loaded(40), allBut(40, 17), allBut(40)} {
			set := equal(40)
			set[3].Weight = 3
			p := policy(set, nil)
			c.keyed = keyed
			var asked Candidates = c
			n := testing.AllocsPerRun(100, func() {
				c.key += golden
				p.Pick(asked)
			})
			if n != 0 {
				t.Errorf("with %d of 40 endpoints busy, Pick allocates %v times", len(c.busy), n)
			}
		}
	})
}

func TestPolicy_CanBeAskedByMany(t *testing.T) {
	each(t, func(t *testing.T, policy Policy, keyed bool) {
		p := policy(weighted(1, 2, 3, 4, 5), nil)
		var wg sync.WaitGroup
		for g := range uint64(4) {
			wg.Go(func() {
				c := loaded(5)
				c.keyed, c.busy = keyed, map[int]bool{0: true, 4: true}
				for i := range uint64(500) {
					c.key = mix(g<<32 + i)
					if i := p.Pick(c); i < 1 || i > 3 {
						t.Errorf("%d is picked, want a free one: 1, 2 or 3", i)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
