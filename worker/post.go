package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// handshakeTimeout bounds everything from dialing until the router has begun.
	handshakeTimeout = 10 * time.Second
	// moveTimeout is how long a connection that is to be left waits for another
	// one to take over.
	moveTimeout = 5 * time.Second
	// introduceTimeout is how long a router that has begun may take to ask who
	// this is. One that knows it by the certificate need not ask at all.
	introduceTimeout = 2 * time.Second
	// verdictTime is how long a router that was told who this is has to say no, by
	// closing the connection, until the worker counts as attached.
	verdictTime = 500 * time.Millisecond
)

// A post is an address at which the worker keeps a connection.
type post struct {
	worker  *worker
	router  router
	address string // host:port to dial
	cancel  context.CancelFunc
	last    string // what was last logged as wrong
	// attached: there is a connection.
	attached atomic.Bool
}

// keep attaches, and attaches again, until ctx ends.
func (p *post) keep(ctx context.Context) {
	var wait backoff
	var old *link // is left when another connection takes over
	for ctx.Err() == nil {
		l, err := p.attach(ctx)
		if l != nil && old != nil {
			old.leave()
		}
		if l == nil {
			p.report(ctx, err)
			sleep(ctx, wait.next(err))
			continue
		}
		old = nil
		p.attached.Store(true)
		if p.stay(ctx, l) >= stableAfter {
			wait.reset()
		}
		p.attached.Store(false)
		select {
		case <-l.closed:
			p.reportEnd(ctx, l)
		case <-l.moving:
			old = l
			time.AfterFunc(moveTimeout, l.leave)
		case <-ctx.Done():
			return
		}
		sleep(ctx, wait.next(nil))
	}
}

// stay returns when a connection is not enough any more, with how long it was.
func (p *post) stay(ctx context.Context, l *link) time.Duration {
	since := time.Now()
	select {
	case <-l.closed:
	case <-l.moving:
	case <-ctx.Done():
	}
	return time.Since(since)
}

// attach opens a connection, and returns when the router uses it.
func (p *post) attach(ctx context.Context) (*link, error) {
	within, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	raw, err := p.worker.dial(within, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	if err := p.checkRemote(raw); err != nil {
		_ = raw.Close()
		return nil, err
	}
	stop := context.AfterFunc(within, func() { _ = raw.Close() })
	l, err := p.handshake(within, raw)
	if !stop() && err == nil {
		err = within.Err()
	}
	if err != nil {
		_ = raw.Close()
		if late := within.Err(); late != nil {
			err = fmt.Errorf("attaching took longer than %v: %w", handshakeTimeout, err)
		}
		return nil, err
	}
	p.worker.serve(ctx, l)
	if err := p.await(within, l); err != nil {
		if ctx.Err() == nil {
			l.abort()
		} // else it takes leave
		return nil, err
	}
	p.last = ""
	p.worker.opts.Log.Info("attached", "router", p.router.text, "address", p.address,
		"service", p.worker.opts.Service, "instance", p.worker.opts.Instance)
	p.worker.opts.OnAttached(p.router.text)
	return l, nil
}

// handshake swaps the roles on a connection.
func (p *post) handshake(ctx context.Context, raw net.Conn) (*link, error) {
	o, nc := &p.worker.opts, raw
	if p.router.secure {
		secured, err := o.secure(ctx, raw, p.router)
		if err != nil {
			return nil, err
		}
		nc = secured
	}
	r := bufio.NewReaderSize(nc, inboundBuffer)
	switch o.Protocol {
	case PTTH:
		if _, err := nc.Write(o.appendRequest(nil, p.router)); err != nil {
			return nil, err
		}
		routers, err := readAnswer(r)
		if err != nil {
			return nil, err
		}
		p.worker.roster.heed(p, routers)
	case RHTTP:
		if _, err := io.WriteString(nc, preface); err != nil {
			return nil, err
		}
	case RH2:
	}
	l := newLink(p, nc, raw, r)
	if o.Protocol == RHTTP {
		l.in.ready = []byte(preface) // the router does not send one
	} else {
		l.in.passing = len(preface)
	}
	return l, nil
}

// checkRemote sees that clear text that is allowed because the router is written
// as being on this machine goes nowhere else.
func (p *post) checkRemote(c net.Conn) error {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if !p.router.secure && p.router.local && err == nil && !at.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is not on this machine but at %v; write http:// before it if clear text may go there", p.router.host, at)
	}
	return nil
}

var (
	errNotBegun  = errors.New("the router does not begin to speak HTTP/2")
	errNotWanted = errors.New("the connection has ended before the router spoke HTTP/2; if it refuses this worker, its log says why")
)

// await returns when the router uses a connection, or says why it does not.
func (p *post) await(ctx context.Context, l *link) error {
	select {
	case <-l.begun:
	case <-l.closed:
		return l.why(errNotWanted)
	case <-ctx.Done():
		return errNotBegun
	}
	if p.worker.opts.Protocol != RH2 {
		return nil
	}
	select {
	case <-l.known:
	case <-l.closed:
		return l.refusal()
	case <-time.After(introduceTimeout):
		return nil
	case <-ctx.Done():
		return nil
	}
	select {
	case <-l.closed:
		return l.refusal()
	case <-l.moving: // it has said GOAWAY
		return l.refusal()
	case <-time.After(verdictTime):
	case <-ctx.Done():
	}
	return nil
}

// refusal is what a router means that closes a connection when it was told who
// this is: it has no other way to say no. What it says with its GOAWAY may be the
// document that it would have answered an upgrade with.
func (l *link) refusal() *Refusal {
	if reason := l.reason.Load(); reason != nil {
		if r := readProblem([]byte(*reason)); r.Code != "" {
			return r
		}
	}
	return &Refusal{Detail: "it has closed the connection when it was told who this is; its log says why"}
}

// why is the error, and what the router said when it left.
func (l *link) why(err error) error {
	if reason := l.reason.Load(); reason != nil && *reason != "" {
		return fmt.Errorf("%w: %q", err, printable(*reason))
	}
	return err
}

// report tells what is wrong. What was told before, and what is wrong with one
// address of a router that another one leads to, are details.
func (p *post) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // that is why
	}
	o := &p.worker.opts
	var refusal *Refusal
	if errors.As(err, &refusal) {
		o.OnRefused(p.router.text, refusal)
	}
	log := o.Log.Warn
	if p.last == err.Error() || p.worker.roster.attached(p.router) {
		log = o.Log.Debug
	}
	p.last = err.Error()
	log("cannot attach; trying again", "router", p.router.text, "address", p.address, "error", err)
}

// reportEnd tells that a connection has ended that was not to.
func (p *post) reportEnd(ctx context.Context, l *link) {
	if ctx.Err() == nil {
		p.worker.opts.Log.Warn("the connection has ended; attaching again", "router", p.router.text, "address", p.address, "reason", l.why(errEnded))
	}
}

var errEnded = errors.New("closed by the router, or lost")

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
