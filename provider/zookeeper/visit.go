package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	// inFlight is how many questions a server is asked at once.
	inFlight = 64
	// maxPath is the longest path that is asked about. The client has room for a
	// request of sendBuffer, and one that does not fit would fail as if the server
	// did.
	maxPath    = 32 << 10
	sendBuffer = 64 << 10
	// batch is how many nodes are verified before events have their turn.
	batch = 500
	// quiet is how long an event waits for others, so that a thousand of them make
	// a few updates.
	quiet = 50 * time.Millisecond
	// steady is how long it has to go well to count as an end of trouble.
	steady = 10 * time.Second
)

// A visit is what one session sees of the service.
type visit struct {
	*session
	tree *tree
	told *registry.Announcer
	// unverified are nodes that are still to be looked at again.
	unverified []string
}

// visit opens a session and tells what there is, until that goes wrong. It reports
// whether it has told it, and whether it went well for a while.
func (p *Provider) visit(ctx context.Context, told *registry.Announcer, closing *sync.WaitGroup) (seen, lasted bool, err error) {
	s, err := p.connect(ctx, closing)
	if err != nil {
		return false, false, err
	}
	defer closing.Go(s.close)
	defer context.AfterFunc(ctx, s.conn.Close)()
	v := &visit{session: s, tree: newTree(p.path()), told: told}
	since := time.Now()
	if err := v.readAll(ctx); err != nil {
		return false, false, fmt.Errorf("%s: %w", s.server, err)
	}
	err = v.follow(ctx, p.o.Resync)
	return true, time.Since(since) > steady, fmt.Errorf("%s: %w", s.server, err)
}

// readAll reads all nodes, leaves watches, and tells what there is.
func (v *visit) readAll(ctx context.Context) error {
	if err := v.catchUp(); err != nil {
		return err
	}
	if err := v.read(ctx, []question{v.tree.first()}); err != nil {
		return err
	}
	v.announce()
	return nil
}

// catchUp has the server, which may be behind the others, learn what they know.
func (v *visit) catchUp() error {
	_, err := v.conn.Sync(v.tree.service)
	return err
}

// follow takes in what changes, until the connection is lost.
func (v *visit) follow(ctx context.Context, resync time.Duration) error {
	again := time.NewTimer(registry.Jitter(resync))
	defer again.Stop()
	var calm <-chan time.Time
	for {
		var err error
		select {
		case <-v.wake:
			if calm == nil {
				calm = time.After(quiet)
			}
		case <-calm:
			calm = nil
			if err = v.read(ctx, v.takeStale()); err == nil {
				v.announce()
			}
		case <-again.C:
			err = v.doubt(ctx)
			again.Reset(registry.Jitter(resync))
		case <-v.doubtful():
			err = v.verify(ctx)
		case <-v.lost:
			return errLost
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

func (v *visit) announce() {
	v.told.Crowded(v.tree.crowded)
	v.told.Announce(v.tree.entries())
}

// doubt has all nodes be looked at again, as they are now.
func (v *visit) doubt(ctx context.Context) error {
	if len(v.unverified) > 0 {
		return nil // it is at it
	}
	if err := v.catchUp(); err != nil {
		return err
	}
	if v.tree.crowded {
		// Nobody tells when there is room for those that were left out.
		v.tree.crowded = false
		if err := v.read(ctx, []question{v.tree.first()}); err != nil {
			return err
		}
		v.announce()
	}
	v.unverified = v.tree.paths()
	return nil
}

// always can be received from.
var always = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// doubtful returns a channel that can be received from if there is something to verify.
func (v *visit) doubtful() <-chan struct{} {
	if len(v.unverified) == 0 {
		return nil
	}
	return always
}

// verify looks at some nodes without leaving watches, and reads anew what is not as it
// is known: by an event that was lost, or one that is still to come.
func (v *visit) verify(ctx context.Context) error {
	paths := v.unverified[:min(batch, len(v.unverified))]
	v.unverified = v.unverified[len(paths):]
	stats, err := each(ctx, paths, v.look)
	if err != nil {
		return err
	}
	var ask []question
	for i, path := range paths {
		if q, differs := v.tree.compare(path, stats[i]); differs {
			ask = append(ask, q)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	if err := v.read(ctx, ask); err != nil {
		return err
	}
	v.announce()
	return nil
}

// look returns what is known of a node without reading it; nil if there is none.
func (v *visit) look(path string) (*zk.Stat, error) {
	if len(path) > maxPath {
		return nil, nil
	}
	there, stat, err := v.conn.Exists(path)
	switch {
	case errors.Is(err, zk.ErrInvalidPath), errors.Is(err, zk.ErrNoAuth):
		return nil, nil
	case err != nil || !there:
		return nil, err
	default:
		return stat, nil
	}
}

// read asks, and goes on asking because of the answers.
func (v *visit) read(ctx context.Context, ask []question) error {
	for len(ask) > 0 {
		answers, err := each(ctx, ask, v.ask)
		if err != nil {
			return err
		}
		ask = nil
		for _, a := range answers {
			ask = append(ask, v.tree.take(a)...)
		}
	}
	return nil
}

// ask reads a node, and leaves watches for what it reads.
func (v *visit) ask(q question) (answer, error) {
	if q.path == v.tree.service {
		return v.askService(q)
	}
	a := answer{question: q}
	if len(q.path) > maxPath {
		return a.failed(zk.ErrInvalidPath)
	}
	if q.data {
		value, stat, _, err := v.conn.GetW(q.path)
		if err != nil {
			return a.failed(err)
		}
		a.value, a.written, a.ephemeral = value, stat.Mzxid, stat.EphemeralOwner != 0
	}
	if q.children && !a.ephemeral {
		names, stat, _, err := v.conn.ChildrenW(q.path)
		if err != nil {
			return a.failed(err)
		}
		a.names, a.listed = names, stat.Pzxid
	}
	return a, nil
}

// failed returns what an error says of a node, or the error if it says nothing of it.
func (a answer) failed(err error) (answer, error) {
	switch {
	case errors.Is(err, zk.ErrNoNode):
		a.gone = true
		return a, nil
	case errors.Is(err, zk.ErrNoAuth):
		a.forbidden = errors.New("its node may not be read by us")
		return a, nil
	case errors.Is(err, zk.ErrInvalidPath):
		a.forbidden = errors.New("its name is none that a node can have")
		return a, nil
	default:
		return a, err
	}
}

// askService reads which nodes stand below the service; if it has no node itself, the
// watch is for that.
func (v *visit) askService(q question) (answer, error) {
	for {
		names, stat, _, err := v.conn.ChildrenW(q.path)
		switch {
		case errors.Is(err, zk.ErrNoAuth):
			return answer{}, fmt.Errorf("node %s may not be read by us", q.path)
		case err == nil:
			return answer{question: q, names: names, listed: stat.Pzxid}, nil
		case !errors.Is(err, zk.ErrNoNode):
			return answer{}, err
		}
		there, _, _, err := v.conn.ExistsW(q.path)
		if err != nil {
			return answer{}, err
		}
		if !there {
			return answer{question: q, gone: true}, nil
		}
	}
}

// each asks something of all, several at a time, and returns the answers in order.
func each[T, A any](ctx context.Context, all []T, ask func(T) (A, error)) ([]A, error) {
	answers := make([]A, len(all))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var askers sync.WaitGroup
	for range min(inFlight, len(all)) {
		askers.Go(func() {
			for i := range next {
				a, err := ask(all[i])
				if err != nil {
					cancel(err)
				}
				answers[i] = a
			}
		})
	}
	for i := range all {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	askers.Wait()
	return answers, context.Cause(ctx)
}
