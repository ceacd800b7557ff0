//go:build real

package real

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// A crowd is customers that ask at the same time.
type crowd struct {
	customers []*customer
	asked     atomic.Int64
	told      chan struct{} // has something when a request has ended
	leave     context.CancelFunc
	gone      sync.WaitGroup
}

// newCrowd has customers ask what they like until they are sent home. The seed
// decides what that is.
func newCrowd(t *testing.T, n int, seed uint64, address string, bound time.Duration, d diet) *crowd {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	c := &crowd{told: make(chan struct{}, 1), leave: leave}
	for i := range n {
		one := &customer{
			name: fmt.Sprintf("c%d", i), address: address, bound: bound, diet: d,
			random: rand.New(rand.NewPCG(seed, uint64(i))),
		}
		c.customers = append(c.customers, one)
		c.gone.Go(func() { one.run(ctx, c.tell) })
	}
	t.Cleanup(func() { c.home() })
	return c
}

func (c *crowd) tell() {
	c.asked.Add(1)
	select {
	case c.told <- struct{}{}:
	default:
	}
}

// await waits until n more requests have ended.
func (c *crowd) await(t *testing.T, n int) {
	t.Helper()
	enough, late := c.asked.Load()+int64(n), time.After(4*patience)
	for c.asked.Load() < enough {
		select {
		case <-c.told:
		case <-late:
			t.Fatalf("%d requests are missing of the %d that were to end", enough-c.asked.Load(), n)
		}
	}
}

// home sends the customers home, and returns what they report.
func (c *crowd) home() (reports []ledger.Report) {
	c.leave()
	c.gone.Wait()
	for _, one := range c.customers {
		reports = append(reports, one.reports...)
	}
	return reports
}
