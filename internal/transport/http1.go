package transport

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// Options configure the way to one endpoint.
type Options struct {
	Dialer Dialer
	// Head is what is added to each request's head: base path and query, Host,
	// configured fields.
	Head http1.RequestHead
	// Limits bounds response heads and trailers.
	Limits http1.Limits
	// Response bounds the wait for a response head, Read the wait between
	// bytes of its content, Write the wait for the endpoint to take bytes,
	// Idle how long a connection is kept without use.
	Response, Read, Write, Idle time.Duration
	// MaxIdle bounds how many connections are kept, MaxAge for how long one is
	// used at all; 0 is for ever.
	MaxIdle int
	MaxAge  time.Duration
	// Watchdog watches the connections.
	Watchdog *conn.Watchdog
}

// HTTP1 is one endpoint reached by HTTP/1.1. Its methods may be called
// concurrently.
type HTTP1 struct {
	opts   atomic.Pointer[Options]
	active atomic.Int64 // connections open and not idle

	mu     sync.Mutex
	idle   []*link // the one used last is at the end, and is used next
	closed bool
}

// NewHTTP1 returns the way to an endpoint. It opens no connection yet.
func NewHTTP1(o Options) *HTTP1 {
	t := new(HTTP1)
	t.opts.Store(&o)
	return t
}

// options returns what holds for a request that is sent now.
func (t *HTTP1) options() *Options { return t.opts.Load() }

// Reconfigure has requests be sent as o says, from the next one on. The address has
// to stay the same. Connections that are kept go on, unless afresh says that
// others would be opened now.
func (t *HTTP1) Reconfigure(o Options, afresh bool) {
	old := t.opts.Swap(&o)
	if names := old.Dialer.Names; names != nil && names != o.Dialer.Names {
		names.Close()
	}
	if afresh {
		t.closeIdle()
	}
}

// RoundTrip sends the request of x to the endpoint and reads the response's head
// into c.Response. c must be closed when it succeeds; when it fails, there is
// nothing to close, and the failure says whether anything was sent. It may be
// called at the same time for exchanges that share the slices of one request.
//
// A connection that was kept may have been closed by the endpoint just before it
// was used again. A request that may be repeated is then repeated here, on a new
// connection: that is not the endpoint's failure.
func (t *HTTP1) RoundTrip(x *exchange.Exchange, c *Call) *exchange.Failure {
	f := t.roundTrip(x, c)
	if c.Stop.stopped() {
		return c.stopped(x, f)
	}
	if f != nil && f.Code == exchange.CodeResponseTimeout {
		// If the endpoint is cut off, its kept connections are dead, and every
		// request on one of them would wait as long. A new one tells sooner.
		t.closeIdle()
	}
	return f
}

func (t *HTTP1) roundTrip(x *exchange.Exchange, c *Call) *exchange.Failure {
	l, f := t.acquire(x, c.Stop)
	if f != nil {
		return f
	}
	stale := l.used
	f = c.run(x, l)
	// After any other failure l may be somebody else's already.
	stale = stale && (c.stray || f != nil && f.Code == exchange.CodeEndpointClosed && !l.answered)
	if f == nil || !stale {
		return f
	}
	if !repeatable(x, f) {
		f.Stale = true
		return f
	}
	t.closeIdle() // they are as old, or older
	if l, f = t.dialFor(x, c.Stop); f != nil {
		return f
	}
	return c.run(x, l)
}

// repeatable reports whether the request can be sent once more after f.
func repeatable(x *exchange.Exchange, f *exchange.Failure) bool {
	if f.Sent && !x.Repeatable {
		return false
	}
	return x.Request.Body == nil || x.Request.Body.Rewind()
}

// acquire returns a connection that is ready to carry the request.
func (t *HTTP1) acquire(x *exchange.Exchange, stop *Stop) (*link, *exchange.Failure) {
	careful := !x.Repeatable
	for {
		l := t.takeIdle()
		if l == nil {
			return t.dialFor(x, stop)
		}
		// Whose connection it is comes first, then that it is in use: the
		// watchdog must not find it used by the client before. One that it
		// has ended already it closes only if it finds it in the list, so
		// this closes it.
		l.conn().Watch().For(x.Gone)
		if l.conn().Watch().Begin(conn.PhaseHold, 0) && (!careful && !l.hides() || l.conn().Alive()) {
			return l, nil
		}
		l.close()
	}
}

func (t *HTTP1) takeIdle() *link {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	l := t.idle[n-1]
	t.idle[n-1] = nil
	t.idle = t.idle[:n-1]
	t.active.Add(1)
	return l
}

// dialFor opens a connection for the request of x.
func (t *HTTP1) dialFor(x *exchange.Exchange, stop *Stop) (*link, *exchange.Failure) {
	ctx, release := stop.context(context.Background())
	defer release()
	if deadline := headDeadline(x); deadline > 0 {
		left, ok := remaining(0, deadline)
		if !ok {
			return nil, dialTooLate(x, nil)
		}
		limited, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		ctx = limited
	}
	if stop.stopped() {
		return nil, exchange.Fail(exchange.CodeCancelled, "", nil)
	}
	l, f := t.dial(ctx)
	if f == nil {
		l.conn().Watch().For(x.Gone)
	} else if ctx.Err() != nil {
		f = dialTooLate(x, f.Cause)
	}
	return l, f
}

func (t *HTTP1) dial(ctx context.Context) (*link, *exchange.Failure) {
	o := t.options()
	nc, f := o.Dialer.Dial(ctx)
	if f != nil {
		return nil, f
	}
	l := &link{owner: t, opened: exchange.Now()}
	l.reader = content.Reader{
		Limit:   max(o.Limits.HeaderBytes, conn.BufferSize),
		Timeout: o.Read,
		After:   conn.PhaseHold,
	}
	l.reader.Conn = conn.New(nc, o.Watchdog, l)
	l.reader.Conn.SetWriteTimeout(o.Write)
	l.reader.Conn.Watch().Begin(conn.PhaseHold, 0)
	t.active.Add(1)
	return l, nil
}

// put keeps a connection for the next request, or closes it.
func (t *HTTP1) put(l *link) {
	l.reader.Buf.Release()
	l.used, l.answered = true, false
	age := t.options().MaxAge
	tooOld := age > 0 && exchange.Now()-l.opened > age
	if !tooOld && t.keep(l) {
		return
	}
	l.close()
}

func (t *HTTP1) keep(l *link) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.options()
	if t.closed || len(t.idle) >= o.MaxIdle || !l.conn().Watch().Begin(conn.PhaseIdle, o.Idle) {
		return false
	}
	l.restsSince = l.conn().Watch().Tick()
	t.idle = append(t.idle, l)
	t.active.Add(-1)
	return true
}

// drop closes an idle connection whose time is over, or whose peer has left,
// unless it was taken meanwhile.
func (t *HTTP1) drop(l *link) {
	t.mu.Lock()
	found := false
	for i := range t.idle {
		if t.idle[i] == l {
			t.idle = append(t.idle[:i], t.idle[i+1:]...)
			t.active.Add(1) // close subtracts it
			found = true
			break
		}
	}
	t.mu.Unlock()
	if found {
		l.close()
	}
}

// Probe implements pool.Transport: it opens a connection and keeps it.
func (t *HTTP1) Probe(ctx context.Context) error {
	l, f := t.dial(ctx)
	if f != nil {
		return f
	}
	l.used = true
	if !t.keep(l) {
		l.close()
	}
	return nil
}

// Connections returns how many connections are in use, and how many are kept.
func (t *HTTP1) Connections() (active, idle int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.active.Load()), len(t.idle)
}

// closeIdle closes the connections that are not in use.
func (t *HTTP1) closeIdle() {
	t.mu.Lock()
	idle := t.idle
	t.idle = nil
	t.active.Add(int64(len(idle)))
	t.mu.Unlock()
	for _, l := range idle {
		l.close()
	}
}

// Close closes the connections that are not in use; those that are, are closed
// when their exchange ends.
func (t *HTTP1) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.closeIdle()
	if names := t.options().Dialer.Names; names != nil {
		names.Close()
	}
}
