//go:build unix

package scale

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// hands is how many workers are attached at a time.
const hands = 64

// attachAll attaches n workers, which leave with the test, each with these further
// fields.
func attachAll(t *testing.T, address string, n int, fields ...func(i int) string) []*worker {
	t.Helper()
	workers := make([]*worker, n)
	errs := make([]error, n)
	each(n, func(i int) {
		var own []string
		for _, field := range fields {
			own = append(own, field(i))
		}
		workers[i], errs[i] = attach(address, fmt.Sprintf("w%d", i), own...)
	})
	var here []*worker
	for _, w := range workers {
		if w != nil {
			here = append(here, w)
		}
	}
	t.Cleanup(func() { leaveAll(here) })
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%d of %d workers are attached; one is not: %v", len(here), n, err)
		}
	}
	return workers
}

// each calls f with 0 to n-1, some at a time.
func each(n int, f func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, hands) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
}
