package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	// page is how many entries are asked for at once.
	page = 200
	// quiet is how long an event waits for others, so that a thousand of them make
	// a few updates.
	quiet = 50 * time.Millisecond
	// steady is how long it has to go well to count as an end of trouble.
	steady = 10 * time.Second
)

// A visit is what one client sees of the service.
type visit struct {
	client  *clientv3.Client
	path    string
	resync  time.Duration
	told    *registry.Announcer
	entries map[string]registry.Entry
}

// visit connects and tells what there is, until that goes wrong. It reports whether
// it went well for a while.
func (p *Provider) visit(ctx context.Context, told *registry.Announcer) (lasted bool, err error) {
	client, err := p.dial(ctx)
	if err != nil {
		return false, err
	}
	defer client.Close()
	v := &visit{client: client, path: p.path(), resync: p.o.Resync, told: told}
	var pauses registry.Pauses
	for {
		revision, err := v.list(ctx)
		if err != nil {
			return lasted, fmt.Errorf("list %s: %w", v.path, explain(err))
		}
		told.Announce(v.entries)
		since := time.Now()
		if err := v.follow(ctx, revision+1); err != nil {
			return lasted || time.Since(since) > steady, fmt.Errorf("watch %s: %w", v.path, explain(err))
		}
		if time.Since(since) > steady {
			lasted = true
			pauses.Reset()
		}
		if !pauses.Wait(ctx) {
			return lasted, ctx.Err()
		}
	}
}

// list reads all entries as they were at one revision, and returns it.
func (v *visit) list(ctx context.Context) (revision int64, err error) {
	entries := map[string]registry.Entry{}
	from, end := v.path, clientv3.GetPrefixRangeEnd(v.path)
	for {
		answer, err := v.ask(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(revision))
		if errors.Is(err, rpctypes.ErrCompacted) {
			// Somebody compacted between two pages; the next list is at a later
			// revision.
			entries, from, revision = map[string]registry.Entry{}, v.path, 0
			continue
		}
		if err != nil {
			return 0, err
		}
		if revision == 0 {
			revision = answer.Header.Revision
		}
		for _, kv := range answer.Kvs {
			v.put(entries, kv)
		}
		if !answer.More || len(entries) >= MaxEndpoints {
			v.told.Crowded(answer.More)
			v.entries = entries
			return revision, nil
		}
		from = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
	}
}

func (v *visit) ask(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return v.client.Get(ctx, key, opts...)
}

func (v *visit) put(entries map[string]registry.Entry, kv *mvccpb.KeyValue) {
	key := strings.TrimPrefix(string(kv.Key), v.path)
	if _, known := entries[key]; !known && len(entries) >= MaxEndpoints {
		v.told.Crowded(true)
		return
	}
	entries[key] = registry.ReadEntry(key, kv.Value)
}

// follow takes in what changes from a revision on, until everything has to be listed
// again. The error says why that would not help at once.
func (v *visit) follow(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	changes := v.watch(ctx, revision)
	gone := lost(ctx, v.client.ActiveConnection())
	defer func() {
		cancel()
		<-gone
		for range changes { // until the watch is over, too
		}
	}()

	again := time.NewTimer(registry.Jitter(v.resync))
	defer again.Stop()
	var calm <-chan time.Time
	for {
		select {
		case change, ok := <-changes:
			if !ok {
				return errors.New("the watch has ended")
			}
			if err := change.Err(); err != nil {
				return unlessCompacted(err)
			}
			v.apply(change.Events)
			if calm == nil && len(change.Events) > 0 {
				calm = time.After(quiet)
			}
		case <-calm:
			calm = nil
			v.told.Announce(v.entries)
		case <-gone:
			return ctx.Err()
		case <-again.C:
			return nil
		}
	}
}

// unlessCompacted returns no error for a watch that came too late: to list is all
// that it takes.
func unlessCompacted(err error) error {
	if errors.Is(err, rpctypes.ErrCompacted) {
		return nil
	}
	return err
}

// watch has the client watch, which does not return before a server is there to do
// it. The channel is closed when the watch is over.
func (v *visit) watch(ctx context.Context, revision int64) <-chan clientv3.WatchResponse {
	changes := make(chan clientv3.WatchResponse)
	go func() {
		defer close(changes)
		for change := range v.client.Watch(ctx, v.path, clientv3.WithPrefix(), clientv3.WithRev(revision)) {
			select {
			case changes <- change:
			case <-ctx.Done():
			}
		}
	}()
	return changes
}

func (v *visit) apply(events []*clientv3.Event) {
	for _, e := range events {
		if e.Type == mvccpb.DELETE {
			delete(v.entries, strings.TrimPrefix(string(e.Kv.Key), v.path))
		} else {
			v.put(v.entries, e.Kv)
		}
	}
}
