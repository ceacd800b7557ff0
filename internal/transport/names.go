package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How often a name is resolved again, and how long one look-up may take. The
// system's resolver does not tell for how long an answer holds.
const (
	refreshEvery  = 30 * time.Second
	lookupTimeout = 5 * time.Second
)

// Names are the addresses of one host name, resolved again in the background.
// When that fails, the last known addresses stay in use.
type Names struct {
	host   string
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	addrs atomic.Pointer[[]netip.Addr]
	turn  atomic.Uint32
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// NewNames begins to resolve host. If lookup is nil, the system's resolver is
// asked. Close ends it.
func NewNames(host string, lookup func(ctx context.Context, host string) ([]netip.Addr, error)) *Names {
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	n := &Names{host: host, lookup: lookup}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.done.Go(func() { n.refresh(ctx) })
	return n
}

func (n *Names) refresh(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		_ = n.resolve(ctx) // the last known addresses stay
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (n *Names) resolve(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addrs, err := n.lookup(ctx, n.host)
	if err != nil {
		return err
	}
	if len(addrs) == 0 {
		return fmt.Errorf("%s has no address", n.host)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	n.addrs.Store(&addrs)
	return nil
}

// Lookup returns the addresses, each call another one first. It resolves the
// name itself only as long as that has never succeeded.
func (n *Names) Lookup(ctx context.Context) ([]netip.Addr, error) {
	known := n.addrs.Load()
	if known == nil {
		if err := n.resolve(ctx); err != nil {
			return nil, err
		}
		known = n.addrs.Load()
	}
	first := int((n.turn.Add(1) - 1) % uint32(len(*known)))
	return slices.Concat((*known)[first:], (*known)[:first]), nil
}

// Close ends the resolving and returns when it has ended.
func (n *Names) Close() {
	n.stop()
	n.done.Wait()
}
