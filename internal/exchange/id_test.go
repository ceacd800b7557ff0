package exchange

import (
	"slices"
	"sync"
	"testing"
)

func TestAppendID_GrowsAndKeepsItsWidth(t *testing.T) {
	last := string(AppendID(nil))
	for range 1000 {
		id := string(AppendID(nil))
		if len(id) != len("0192f3a1c2d4-00000000002a") {
			t.Fatalf("id %q is not of the width that all have", id)
		}
		if id <= last {
			t.Fatalf("id %q follows %q, but does not sort behind it", id, last)
		}
		last = id
	}
}

func TestAppendID_AppendsWithoutAllocating(t *testing.T) {
	room := make([]byte, 0, 32)
	if got := string(AppendID(append(room, "id="...))); got[:3] != "id=" || len(got) != 3+25 {
		t.Errorf("appending an id to %q gives %q", "id=", got)
	}
	if n := testing.AllocsPerRun(100, func() { AppendID(room) }); n != 0 {
		t.Errorf("appending to a slice with room allocates %v times", n)
	}
}

func TestAppendID_IsNeverGivenTwice(t *testing.T) {
	const workers, each = 8, 2000
	var all [workers][]string
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				all[w] = append(all[w], string(AppendID(nil)))
			}
		})
	}
	wg.Wait()
	seen := slices.Concat(all[:]...)
	slices.Sort(seen)
	if distinct := len(slices.Compact(seen)); distinct != workers*each {
		t.Errorf("%d ids were handed out, only %d of them are distinct", workers*each, distinct)
	}
}
