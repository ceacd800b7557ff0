// Package etcd finds the endpoints of a service in an etcd cluster.
//
// The keys of a service stand below PREFIX/SERVICE/: ID, or VERSION/ID for an
// endpoint of one version of it. The ID is the endpoint's name. The value is its URL,
// or JSON:
//
//	/weir/web/a       http://10.0.0.20:8000
//	/weir/web/v2/b    {"url": "http://10.0.0.21:8000", "weight": 2, "zone": "eu-1",
//	                   "labels": {"rack": "7"}, "concurrency": 100}
//
// JSON may name the version, too, for a key that does not. An entry that cannot be
// read is left out and logged; all others count.
//
// A [Provider] lists everything at one revision and watches from the next one. It
// lists again whenever the watch may have missed something: after a compaction, when
// the connection was lost, and every minute, for a watch that has gone silent looks
// like a registry in which nothing happens. Lists are answered by a majority of the
// cluster, so a server that is cut off cannot pass for a quiet one. While the cluster
// is away the endpoints that were told last stay.
package etcd

import (
	"context"
	"fmt"
	"strings"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// A Provider knows the endpoints of one service from etcd. It is a
// [provider.Provider]; each Watch has a client of its own, and several may run.
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

// path is what the keys of the service begin with.
func (p *Provider) path() string { return p.o.Prefix + "/" + p.o.Service + "/" }

// Watch implements provider.Provider.
func (p *Provider) Watch(ctx context.Context, update func(provider.Update)) error {
	told := registry.NewAnnouncer(update, p.o.Log, p.path())
	var pauses registry.Pauses
	for {
		lasted, err := p.visit(ctx, told)
		if ctx.Err() != nil {
			return nil
		}
		if lasted {
			pauses.Reset()
		}
		told.Fail(fmt.Errorf("etcd %s: %w", strings.Join(p.o.Endpoints, ", "), err))
		if !pauses.Wait(ctx) {
			return nil
		}
	}
}
