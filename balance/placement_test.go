package balance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// placing are the policies that place requests by a key.
var placing = []string{"hash", "maglev"}

// placed returns the names of the endpoints at which a policy places keys 0 to
// n-1, while one of that name, if any, is busy.
func placed(policy Policy, set []Target, n int, busyName string) []string {
	p, at := policy(set, nil), make([]string, n)
	c := withKey(0, busy())
	if i := slices.IndexFunc(set, func(t Target) bool { return t.Name == busyName }); i >= 0 {
		c.busy[i] = true
	}
	for key := range at {
		c.key = mix(uint64(key) + golden)
		at[key] = set[p.Pick(c)].Name
	}
	return at
}

// Where a key is placed is a promise that outlives the process, and the version.
func TestPlacement_IsTheSameForever(t *testing.T) {
	set := []Target{{Name: "http://10.0.0.1:80"}, {Name: "http://10.0.0.2:80"}, {Name: "b", Weight: 2}}
	want := map[string]string{
		"hash":   "02212210222021102022022220210022",
		"maglev": "22122220220120202122122200122221",
	}
	for _, name := range placing {
		policy, _ := Named(name)
		p, got := policy(set, nil), ""
		for i := range 32 {
			got += fmt.Sprint(p.Pick(withKey(Key([]byte{byte(i)}), busy())))
		}
		if got != want[name] {
			t.Errorf("%s places 32 keys at %s, want %s", name, got, want[name])
		}
	}
}

// When one of n endpoints leaves, its keys move, and by the ring no others.
func TestPlacement_MovesFewKeysWhenAnEndpointLeaves(t *testing.T) {
	const keys = 50_000
	for _, name := range placing {
		policy, _ := Named(name)
		for _, set := range [][]Target{equal(10), equal(50), weighted(4, 3, 2, 1, 1, 1, 1, 1, 1, 1)} {
			before, most, strays := placed(policy, set, keys, ""), 0, 0
			for _, leaver := range []int{0, len(set) / 2, len(set) - 1} {
				left := slices.Delete(slices.Clone(set), leaver, leaver+1)
				moved, own := moves(before, placed(policy, left, keys, ""), set[leaver].Name)
				most, strays = max(most, moved), max(strays, moved-own)
				share := float64(set[leaver].Weight) / float64(sum(weightsOf(set)))
				if limit := keys * (share + 0.03); float64(moved) > limit {
					t.Errorf("%s: when %s of %d leaves, %d of %d keys move, want at most %.0f", name, set[leaver].Name, len(set), moved, keys, limit)
				}
				if name == "hash" && moved != own {
					t.Errorf("hash: when %s of %d leaves, %d keys move that were not its own", set[leaver].Name, len(set), moved-own)
				}
			}
			t.Logf("%-6s: when one of %d leaves, at most %.2f %% of the keys move, %.2f %% that need not",
				name, len(set), 100*float64(most)/keys, 100*float64(strays)/keys)
		}
	}
}

// Beyond 256 endpoints, the nodes of each become fewer the more there are, so keys
// of others move as well; not many.
func TestPlacement_MovesFewKeysOfLargeSets(t *testing.T) {
	const keys = 100_000
	for _, n := range []int{256, 257, 300, 400, 600, 1000} {
		set := equal(n)
		leaver := set[n/2].Name
		before := placed(NewHash, set, keys, "")
		moved, own := moves(before, placed(NewHash, slices.Delete(set, n/2, n/2+1), keys, ""), leaver)
		t.Logf("hash: when one of %4d leaves, %d of %d keys move, %d of them its own", n, moved, keys, own)
		if n <= 256 && moved != own {
			t.Errorf("when one of %d leaves, %d keys move that were not its own, want none", n, moved-own)
		}
		if limit := 3 * keys / n; moved > limit {
			t.Errorf("when one of %d leaves, %d keys move, want at most three times its share, %d", n, moved, limit)
		}
	}
}

// moves is how many keys are elsewhere after than before, and how many of them
// were of the one who left.
func moves(before, after []string, leaver string) (moved, own int) {
	for key := range before {
		if before[key] != after[key] {
			moved++
		}
		if before[key] == leaver {
			own++
		}
	}
	return moved, own
}

func TestPlacement_SharesKeysWithinATenth(t *testing.T) {
	for _, name := range placing {
		policy, _ := Named(name)
		set := equal(10)
		counts := map[string]int{}
		for _, at := range placed(policy, set, 200_000, "") {
			counts[at]++
		}
		least, most := 20_000, 20_000
		for _, target := range set {
			least, most = min(least, counts[target.Name]), max(most, counts[target.Name])
		}
		t.Logf("%-6s: of 200000 keys each of ten endpoints has %d to %d", name, least, most)
		if least < 18_000 || most > 22_000 {
			t.Errorf("%s: of 200000 keys each of ten endpoints has %d to %d, want 20000 give or take a tenth", name, least, most)
		}
	}
}

func TestPlacement_DoesNotDependOnTheOrderOfTheSet(t *testing.T) {
	const keys = 10_000
	random := rand.New(rand.NewPCG(5, 6))
	for _, name := range placing {
		policy, _ := Named(name)
		for _, set := range [][]Target{equal(10), weighted(5, 1, 3, 1, 2), equal(300)} {
			shuffled := slices.Clone(set)
			random.Shuffle(len(set), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			for _, busyName := range []string{"nobody", "e2"} {
				elsewhere, _ := moves(placed(policy, set, keys, busyName), placed(policy, shuffled, keys, busyName), "")
				t.Logf("%-6s: in another order of %d endpoints, %s being busy, %d keys are elsewhere", name, len(set), busyName, elsewhere)
				if elsewhere > 0 {
					t.Errorf("%s: in another order of %d endpoints, %s being busy, %d of %d keys are elsewhere, want none",
						name, len(set), busyName, elsewhere, keys)
				}
			}
		}
	}
}
