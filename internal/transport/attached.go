package transport

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http2"
)

// Attached is a worker that has dialed in: requests go out over the connections
// that it has opened. The zero value has none yet. Its methods may be called
// concurrently.
type Attached struct {
	mu    sync.Mutex // held to change conns
	conns atomic.Pointer[[]*http2.Conn]
}

// errNoConnection: all of the worker's connections have ended, or take no more.
var errNoConnection = errors.New("the worker has no connection that takes requests")

func (a *Attached) all() []*http2.Conn {
	if list := a.conns.Load(); list != nil {
		return *list
	}
	return nil
}

// Add has requests go out over c, too.
func (a *Attached) Add(c *http2.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := append(slices.Clone(a.all()), c)
	a.conns.Store(&list)
}

// Remove has no more requests go out over c, and returns how many connections are
// left.
func (a *Attached) Remove(c *http2.Conn) (left int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(a.all()), func(other *http2.Conn) bool { return other == c })
	a.conns.Store(&list)
	return len(list)
}

// Capacity returns how many requests the worker takes at once, over all its
// connections.
func (a *Attached) Capacity() int {
	n := 0
	for _, c := range a.all() {
		n += c.Capacity()
	}
	return n
}

// reserved begins the paths by which router and worker speak with each other.
const reserved = "/.well-known/weir/"

// RoundTrip sends the request of x to the worker and reads the response's head
// into c.Response, as HTTP1.RoundTrip does. A path by which only the router itself
// speaks to its workers is not found.
func (a *Attached) RoundTrip(x *exchange.Exchange, c *Call) *exchange.Failure {
	if path := x.Request.Path; len(path) >= len(reserved) && string(path[:len(reserved)]) == reserved {
		return exchange.Fail(exchange.CodeNoRoute, "what begins with "+reserved+" is between routers and workers", nil)
	}
	return a.roundTrip(x, c)
}

func (a *Attached) roundTrip(x *exchange.Exchange, c *Call) *exchange.Failure {
	conn := a.roomiest()
	if conn == nil {
		for _, c := range a.all() {
			c.Settle() // it may have just ended: then the worker is about to leave
		}
		// It may only be full for the moment: nothing is held against it.
		return &exchange.Failure{Code: exchange.CodeConnectFailed, Cause: errNoConnection, Stale: true}
	}
	if c.stream == nil {
		c.stream = new(http2.Stream)
	}
	if c.Stop != nil && !c.Stop.attachStream(c.stream) {
		return exchange.Fail(exchange.CodeCancelled, "", nil)
	}
	f := conn.RoundTrip(x, c.stream)
	if f != nil {
		c.leaveStream()
		// What a worker did not look at says nothing of how it does; and one
		// whose connection ends is about to leave.
		f.Stale = f.Stale || !f.Sent || conn.Draining()
		return f
	}
	c.streaming, c.Response = true, c.stream.Response
	return nil
}

// roomiest returns the connection that can take most requests beyond those that it
// carries; nil if none takes any.
func (a *Attached) roomiest() *http2.Conn {
	var best *http2.Conn
	most := 0
	for _, c := range a.all() {
		if room := c.Capacity() - c.InFlight(); room > most {
			best, most = c, room
		}
	}
	return best
}

// closeStream is Close over HTTP/2.
func (c *Call) closeStream(x *exchange.Exchange) {
	c.streaming = false
	c.stream.Close(x)
	c.leaveStream()
	c.Response.Body, c.Response.Tunnel = nil, nil
}

// leaveStream lets the stream carry something else.
func (c *Call) leaveStream() {
	if c.Stop == nil {
		return
	}
	c.Stop.detach()
	c.stream.Reset()
}

// Probe implements pool.Transport: it reports whether there is a connection that
// takes requests.
func (a *Attached) Probe(context.Context) error {
	if a.Capacity() == 0 {
		return errNoConnection
	}
	return nil
}

// Check asks the worker what c says, as HTTP1.Check does, over one of its
// connections.
func (a *Attached) Check(ctx context.Context, c Check) error {
	if c.Path == "" {
		return a.Probe(ctx)
	}
	status, _, err := a.ask(ctx, c.exchange(), 0)
	if err != nil {
		return err
	}
	return c.judge(status)
}

// Connections returns how many connections carry requests, and how many do not.
func (a *Attached) Connections() (active, idle int) {
	for _, c := range a.all() {
		if c.InFlight() > 0 {
			active++
		} else {
			idle++
		}
	}
	return active, idle
}

// Close closes all connections.
func (a *Attached) Close() {
	for _, c := range a.all() {
		c.Close()
	}
}
