// Package consul finds the endpoints of a service in Consul.
//
// They are the instances of one service of Consul's catalog whose checks are all
// passing, at http://ADDRESS:PORT, or https if [Options] say so. An instance is
// described by its metadata, or by tags of the form key=value:
//
//	{"ID": "web-1", "Name": "web", "Address": "10.0.0.20", "Port": 8000,
//	 "Weights": {"Passing": 2}, "Tags": ["public", "version=v2"],
//	 "Meta": {"zone": "eu-1", "rack": "7"}}
//
// The keys version and zone are those of the endpoint, and what else is in the metadata
// are its labels. The name is the ID of the instance, with the node behind it if the
// service was registered without an ID of its own, or if two nodes use the same one.
//
// A [Provider] asks by blocking queries: Consul answers when something has changed. While
// it cannot be asked the endpoints that were told last stay.
package consul

import (
	"context"
	"fmt"
	"time"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// steady is how long it has to go well to count as an end of trouble.
const steady = 10 * time.Second

// A Provider knows the endpoints of one service from Consul. It is a
// [provider.Provider]; each Watch has a client of its own, and several may run.
type Provider struct{ o Options }

var _ provider.Provider = (*Provider)(nil)

// New returns the provider that o describes. It connects to nobody yet. The error joins
// all that is wrong, each of type *Problem.
func New(o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Provider{o}, nil
}

// Watch implements provider.Provider.
func (p *Provider) Watch(ctx context.Context, update func(provider.Update)) error {
	told := registry.NewAnnouncer(update, p.o.Log, p.o.Service+"/")
	var pauses registry.Pauses
	for {
		since := time.Now()
		err := p.visit(ctx, told)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(since) > steady {
			pauses.Reset()
		}
		told.Fail(fmt.Errorf("consul %s: %w", p.o.Address, explain(err)))
		if !pauses.Wait(ctx) {
			return nil
		}
	}
}
