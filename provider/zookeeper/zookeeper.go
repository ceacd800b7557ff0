// Package zookeeper finds the endpoints of a service in a ZooKeeper ensemble.
//
// The nodes of a service stand below PREFIX/SERVICE: ID, or VERSION/ID for an endpoint
// of one version of it. A node with children is a version, and its data does not
// matter; one without is an endpoint. The ID is the endpoint's name. The data is its
// URL, or JSON:
//
//	/weir/web/a       http://10.0.0.20:8000
//	/weir/web/v2/b    {"url": "http://10.0.0.21:8000", "weight": 2, "zone": "eu-1",
//	                   "labels": {"rack": "7"}, "concurrency": 100}
//
// JSON may name the version, too, for a node that does not stand below one. An entry
// that cannot be read is left out and logged; all others count. Those who register
// use ephemeral nodes, so that an endpoint goes with its session. A path that is not
// there is a service without endpoints, which is watched until it appears.
//
// A [Provider] reads all nodes and leaves a watch at each of them. When the connection
// is lost it opens another session and reads everything again: nothing depends on
// what becomes of the watches of a session that may have expired. Every minute it
// reads everything again in any case, for a watch that was lost looks like a registry
// in which nothing happens. While the ensemble is away the endpoints that were told
// last stay.
package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// A Provider knows the endpoints of one service from ZooKeeper. It is a
// [provider.Provider]; each Watch has a session of its own, and several may run.
type Provider struct{ o Options }

var _ provider.Provider = (*Provider)(nil)

// New returns the provider that o describes. It connects to nobody yet. The error
// joins all that is wrong, each of type *Problem.
func New(o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Provider{o}, nil
}

// path is the node of the service.
func (p *Provider) path() string { return p.o.Prefix + "/" + p.o.Service }

// Watch implements provider.Provider.
func (p *Provider) Watch(ctx context.Context, update func(provider.Update)) error {
	told := registry.NewAnnouncer(update, p.o.Log, p.path()+"/")
	var closing sync.WaitGroup // sessions that are being left
	defer closing.Wait()
	var pauses registry.Pauses
	for {
		seen, lasted, err := p.visit(ctx, told, &closing)
		if ctx.Err() != nil {
			return nil
		}
		if lasted {
			pauses.Reset()
		}
		// If it was seen, it may be one server of several that has left: another
		// one is asked before anybody is told.
		if !seen {
			told.Fail(fmt.Errorf("zookeeper: %w", err))
		}
		if !pauses.Wait(ctx) {
			return nil
		}
	}
}

// connect opens a session with the first server that lets it, in random order.
func (p *Provider) connect(ctx context.Context, closing *sync.WaitGroup) (*session, error) {
	servers := slices.Clone(p.o.Servers)
	rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	var failed []string
	for _, server := range servers {
		s, err := open(ctx, server, p.o, closing)
		if err == nil {
			return s, nil
		}
		failed = append(failed, err.Error())
	}
	slices.Sort(failed) // the same outage reads the same
	return nil, errors.New(strings.Join(failed, "; "))
}
