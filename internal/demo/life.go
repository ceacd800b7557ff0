package demo

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/weirproxy/weir/worker"
)

// farewell bounds how long a worker that leaves finishes what it has.
const farewell = 5 * time.Second

// A life is a worker from its start to its end, as a process would be.
type life struct {
	actor *actor
	stop  context.CancelFunc
	ended chan error // has what worker.Serve returned

	mu   sync.Mutex
	wire *wire // the latest; nil until it has dialed
	dead bool
}

// newLife starts a worker.
func newLife(a *actor) *life {
	ctx, stop := context.WithCancel(context.Background())
	l := &life{actor: a, stop: stop, ended: make(chan error, 1)}
	address, _ := a.doorstep.find()
	go func() {
		l.ended <- worker.Serve(ctx, worker.Options{
			Routers: []string{address}, Instance: a.name,
			Dial: l.dial, OnAttached: a.attach, ShutdownTimeout: farewell,
		}, a)
	}()
	return l
}

var (
	errElsewhere = errors.New("what listens there is not the router of this demo")
	errDead      = errors.New("this worker was killed")
)

// dial opens a connection to where the router is now. Before there is one, nobody
// answers; somebody who does has taken the port meanwhile, and hears nothing.
func (l *life) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	address, open := l.actor.doorstep.find()
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && !open {
		_ = nc.Close()
		err = errElsewhere
	}
	if err != nil {
		if !open && ctx.Err() == nil {
			l.actor.knocked(address)
		}
		return nil, err
	}
	w := newWire(nc)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		_ = nc.Close()
		return nil, errDead
	}
	l.wire = w
	return w, nil
}

// leave ends the worker gracefully. An error says that requests were lost.
func (l *life) leave() error {
	l.stop()
	return <-l.ended
}

// die ends it as the end of a process does: its connection is cut without a word,
// and so are the requests that it has.
func (l *life) die() {
	l.mu.Lock()
	l.dead = true
	if l.wire != nil {
		_ = l.wire.Close()
	}
	l.mu.Unlock()
	l.stop()
	<-l.ended // that requests were cut was the purpose
}

// freeze makes its connection silent until thaw is called.
func (l *life) freeze() (thaw func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wire == nil {
		return func() {}
	}
	l.wire.freeze()
	return l.wire.thaw
}

// A doorstep is where workers dial in.
type doorstep struct {
	mu      sync.Mutex
	address string
	isOpen  bool
}

// find returns the address, and whether the router is there.
func (d *doorstep) find() (address string, open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.address, d.isOpen
}

func (d *doorstep) expect(address string) { d.set(address, false) }
func (d *doorstep) open(address string)   { d.set(address, true) }

func (d *doorstep) set(address string, open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.address, d.isOpen = address, open
}
