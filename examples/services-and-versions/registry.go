package main

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider"
)

// A Registry knows who serves which version of a service. One in front of a database
// would look the same from outside.
type Registry struct {
	mu      sync.Mutex
	known   map[string][]endpoint.Endpoint // by service
	changed chan struct{}                  // closed by the next change, and replaced
}

// NewRegistry returns a registry that knows nobody.
func NewRegistry() *Registry {
	return &Registry{known: map[string][]endpoint.Endpoint{}, changed: make(chan struct{})}
}

// Add adds host:port as an endpoint. One that is known is added once.
func (r *Registry) Add(service, version, host string) error {
	address, err := endpoint.ParseAddress("http://" + host)
	if err != nil {
		return err
	}
	r.change(service, func(list []endpoint.Endpoint) []endpoint.Endpoint {
		return append(without(list, version, host), endpoint.Endpoint{Name: host, Address: address, Version: version})
	})
	return nil
}

// Delete takes an endpoint away. What it has under way is finished.
func (r *Registry) Delete(service, version, host string) {
	r.change(service, func(list []endpoint.Endpoint) []endpoint.Endpoint { return without(list, version, host) })
}

func without(list []endpoint.Endpoint, version, host string) []endpoint.Endpoint {
	return slices.DeleteFunc(slices.Clone(list), func(e endpoint.Endpoint) bool { return e.Version == version && e.Name == host })
}

func (r *Registry) change(service string, f func([]endpoint.Endpoint) []endpoint.Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[service] = f(r.known[service])
	close(r.changed)
	r.changed = make(chan struct{})
}

// All returns the endpoints by service and version.
func (r *Registry) All() map[string]map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]map[string][]string{}
	for _, service := range slices.Sorted(maps.Keys(r.known)) {
		all[service] = map[string][]string{}
		for _, e := range r.known[service] {
			all[service][e.Version] = append(all[service][e.Version], e.Name)
		}
	}
	return all
}

// Provider returns the endpoints of one service as Weir wants to be told of them.
func (r *Registry) Provider(service string) provider.Provider { return follower{r, service} }

type follower struct {
	registry *Registry
	service  string
}

// Watch implements provider.Provider.
func (f follower) Watch(ctx context.Context, update func(provider.Update)) error {
	for ctx.Err() == nil {
		f.registry.mu.Lock()
		list, changed := f.registry.known[f.service], f.registry.changed
		f.registry.mu.Unlock()
		update(provider.Update{Endpoints: list})
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}
