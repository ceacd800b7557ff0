package http2

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Conn is the client's side of an HTTP/2 connection. Its methods may be called
// concurrently.
type Conn struct {
	nc    net.Conn
	opts  Options
	ready chan struct{} // closed when the peer's first SETTINGS are here
	ended chan struct{} // closed when nothing of the connection is left

	// What others ask often, without the lock.
	capacity, inFlight atomic.Int32
	draining           atomic.Bool

	mu      sync.Mutex
	streams map[uint32]*Stream
	buried  int // of streams
	nextID  uint32
	notify  bool  // Changed is due when mu is released
	telling int   // calls of Changed under way
	err     error // why it ends; nil while it does not
	idle    sync.Cond
	reading bool

	peer   peerSettings
	out    writer
	send   sendFlow
	recv   recvFlow
	budget budget
	alive  liveness
	clock  clock
}

// NewConn takes over a connection that was opened by the other side, which is
// the HTTP/2 server on it: it sends the preface and SETTINGS, and waits for the
// peer's. When it fails, nc is closed. The error is what Err returns.
func NewConn(nc net.Conn, o Options) (*Conn, error) {
	o.setDefaults()
	c := &Conn{
		nc: nc, opts: o, ready: make(chan struct{}), ended: make(chan struct{}),
		streams: map[uint32]*Stream{}, nextID: 1, reading: true,
	}
	c.idle.L = &c.mu
	c.out.run = c.drain
	c.peer.reset()
	c.begin()
	go c.read()
	select {
	case <-c.ready:
	case <-c.ended:
	}
	if err := c.Err(); err != nil {
		<-c.ended
		return nil, err
	}
	return c, nil
}

func (c *Conn) begin() {
	c.mu.Lock()
	defer c.unlock()
	now := exchange.Now()
	c.budget.at = now
	c.clock.begin(c, now)
	c.out.pending = append(c.out.pending, preface...)
	c.writeSettings()
	c.kick()
}

// Serve has the connection carry requests as o says, from now on: what is added to
// their heads, and the times of responses, content and tunnels. The rest of o does
// not count. It is called before the first request, or between two.
func (c *Conn) Serve(o Options) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opts.Head, c.opts.Scheme = o.Head, o.Scheme
	c.opts.Response, c.opts.Read, c.opts.Write, c.opts.Tunnel = o.Response, o.Read, o.Write, o.Tunnel
	setDefault(&c.opts.Scheme, "http")
}

// Capacity returns how many requests the connection carries at a time: what the
// peer announces, at most Options.MaxStreams; 0 once it takes no more, and while
// it owes answers and gives no sign of itself.
func (c *Conn) Capacity() int { return int(c.capacity.Load()) }

// InFlight returns how many requests it carries.
func (c *Conn) InFlight() int { return int(c.inFlight.Load()) }

// Draining reports whether it takes no more requests, but may still carry some.
func (c *Conn) Draining() bool { return c.draining.Load() }

// Closed is closed when the connection has ended and nothing of it is left.
func (c *Conn) Closed() <-chan struct{} { return c.ended }

// Err returns why the connection ends or has ended; nil while it does not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection: it says GOAWAY and closes. Requests that it carries
// fail. It does not wait; Closed tells when all is over, within about a second.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.unlock()
	c.end(ErrClosed)
}

// Shutdown takes no more requests, waits for those under way and closes. If ctx
// ends before, they fail and its error is returned.
func (c *Conn) Shutdown(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.idle.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.unlock()
	c.drainOff()
	for len(c.streams) > 0 && c.err == nil && ctx.Err() == nil {
		c.idle.Wait()
	}
	if len(c.streams) > 0 && c.err == nil {
		c.end(ErrClosed)
		return ctx.Err()
	}
	c.end(ErrDrained)
	return nil
}

// unlock releases mu, and then says what has changed.
func (c *Conn) unlock() {
	notify := c.notify && c.opts.Changed != nil
	c.notify = false
	if notify {
		c.telling++
	}
	c.mu.Unlock()
	if !notify {
		return
	}
	c.opts.Changed()
	c.mu.Lock()
	c.telling--
	c.idle.Broadcast()
	c.mu.Unlock()
}

// Settle waits until everybody has been told what has changed: a request that fails
// because of it must not find the connection offered as before.
func (c *Conn) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.telling > 0 {
		c.idle.Wait()
	}
}

// drainOff has the connection take no more requests.
func (c *Conn) drainOff() {
	if !c.draining.Swap(true) {
		c.announce()
	}
	c.endIfDrained()
}

// endIfDrained ends a connection that will carry nothing any more.
func (c *Conn) endIfDrained() {
	if len(c.streams) > 0 {
		return
	}
	c.idle.Broadcast()
	if c.draining.Load() {
		c.end(ErrDrained)
	}
}

// announce makes what is known of the peer the connection's capacity. Who waits in
// NewConn is told nothing: he cannot know the connection yet.
func (c *Conn) announce() {
	n := 0
	if !c.draining.Load() && c.err == nil && !c.alive.doubted {
		n = int(min(int64(c.peer.maxStreams), int64(c.opts.MaxStreams)))
	}
	if (int(c.capacity.Swap(int32(n))) != n || n == 0) && c.peer.here {
		c.notify = true
	}
}

// lingering is how long the last frames may take to leave.
const lingering = time.Second

// end begins the end of the connection. What is already waiting to be written
// still is, and GOAWAY says why, unless the network failed.
func (c *Conn) end(why error) {
	if c.err != nil {
		return
	}
	c.err = why
	c.draining.Store(true)
	c.announce()
	if c.opts.Log != nil {
		c.opts.Log.Debug("connection to a worker ends", "error", why)
	}
	c.idle.Broadcast()
	c.clock.lingerUntil = exchange.Now() + lingering
	c.clock.hurry()
	switch e, ok := why.(*connError); {
	case ok:
		c.out.pending = appendGoAway(c.out.pending, 0, e.code, e.why)
	case why == ErrClosed || why == ErrDrained:
		c.out.pending = appendGoAway(c.out.pending, 0, errNone, "")
	default:
		c.out.broken = true
	}
	for _, s := range c.streams {
		s.breakOff(s.sent(exchange.Fail(exchange.CodeEndpointClosed, "", why)))
		if s.buried {
			c.remove(s)
		}
	}
	c.kick()
}

// finish closes Closed when reader and writer are gone.
func (c *Conn) finish() {
	if c.reading || c.out.writing {
		return
	}
	c.clock.stop()
	select {
	case <-c.ended:
	default:
		close(c.ended)
	}
}
