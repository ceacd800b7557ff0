package consul

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/weirproxy/weir/provider/internal/registry"
)

// pace is the time between an answer and the next question, give or take a quarter: a
// service that changes all the time is asked for about ten times a second, and changes
// that come together are told together.
const pace = 100 * time.Millisecond

// visit tells what there is, until that goes wrong.
func (p *Provider) visit(ctx context.Context, told *registry.Announcer) error {
	client, closing, err := p.client()
	if err != nil {
		return err
	}
	defer closing()
	var index uint64
	for {
		list, next, err := p.ask(ctx, client, index)
		if err != nil {
			return err
		}
		told.Crowded(len(list) > MaxEndpoints)
		told.Announce(p.o.entries(list[:min(len(list), MaxEndpoints)]))
		index = following(index, next)
		select {
		case <-time.After(registry.Jitter(pace)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// following returns the index to wait for. One that has gone back, as when a snapshot was
// restored, means to ask anew; one of 0, which Consul is not to answer, would not wait at
// all. Both are as Consul's documentation of blocking queries has it.
func following(last, got uint64) uint64 {
	got = max(got, 1)
	if got < last {
		return 0
	}
	return got
}

// errFiltered is an empty answer that says nothing about the service.
var errFiltered = errors.New("it does not show the instances: the token lacks service:read, or node:read, for them")

// ask asks for the instances that are passing. With an index other than 0 it waits until
// that is no longer the present one.
func (p *Provider) ask(ctx context.Context, client *api.Client, index uint64) (list []*api.ServiceEntry, next uint64, err error) {
	wait := min(registry.Jitter(p.o.Wait), maxWait)
	late := answerTimeout
	if index > 0 {
		late += wait + wait/16 // by which Consul spreads its answers
	}
	ctx, cancel := context.WithTimeout(ctx, late)
	defer cancel()
	o := (&api.QueryOptions{WaitIndex: index, WaitTime: wait}).WithContext(ctx)
	list, meta, err := client.Health().ServiceMultipleTags(p.o.Service, p.o.Tags, true, o)
	switch {
	case err != nil:
		return nil, 0, err
	case len(list) == 0 && meta.ResultsFilteredByACLs:
		return nil, 0, errFiltered
	}
	return list, meta.LastIndex, nil
}
