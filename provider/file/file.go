// Package file finds the endpoints of a service in a file, or in all files of a folder.
//
// A file is YAML or JSON: a list of URLs, or of objects that say more:
//
//	# endpoints.yaml
//	- http://10.0.0.20:8000
//	- name: b
//	  url: http://10.0.0.21:8000
//	  weight: 2
//	  zone: eu-1
//	  version: v2
//	  labels: { rack: "7" }
//	  concurrency: 100
//
// Of a folder all *.yaml, *.yml and *.json count that are not hidden, in the order of
// their names; what is in them is one list. Endpoints keep the order in which they are
// written.
//
// A [Provider] takes a change over as a whole or not at all. Whatever is wrong, be it in
// one file of several, is told with file, line and column, and the endpoints that were
// told last stay. So does a file that is not there, or that is empty: a service without
// endpoints is written [].
package file

import (
	"context"

	"github.com/weirproxy/weir/internal/filewatch"
	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// A Provider knows the endpoints of one service from a file or a folder. It is a
// [provider.Provider]; several Watches may run.
type Provider struct{ o Options }

var _ provider.Provider = (*Provider)(nil)

// New returns the provider that o describes. It reads nothing yet. The error joins all
// that is wrong, each of type *Problem.
func New(o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Provider{o}, nil
}

// Watch implements provider.Provider.
func (p *Provider) Watch(ctx context.Context, update func(provider.Update)) error {
	changed := filewatch.Watch(ctx, p.o.Path, filewatch.Options{Every: p.o.Resync, Log: p.o.Log})
	told := registry.NewAnnouncer(update, p.o.Log, p.o.Path)
	var last edition
	for more := true; more && ctx.Err() == nil; _, more = <-changed {
		last = p.read(ctx, last)
		switch {
		case ctx.Err() != nil:
		case last.err != nil:
			told.Fail(last.err)
		default:
			told.Tell(last.endpoints)
		}
	}
	for range changed { // until it is over
	}
	return nil
}
