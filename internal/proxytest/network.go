package proxytest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"syscall"
	"time"
)

// A Network is how the connections of a scenario are made.
type Network interface {
	// Listen opens a listener of the proxy or of an endpoint.
	Listen(network, address string) (net.Listener, error)
	// Dial connects to one.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// sockets is loopback TCP.
type sockets struct{}

// Listen implements Network.
func (sockets) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

// Dial implements Network.
func (sockets) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// memory is connections in memory, for virtual time. Every listener has a port
// of its own, whatever its address says.
type memory struct {
	mu        sync.Mutex
	port      int
	listeners map[string]*memoryListener
}

func newMemory() *memory {
	return &memory{port: 1000, listeners: map[string]*memoryListener{}}
}

func (m *memory) newAddr() *net.TCPAddr {
	m.port++
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: m.port}
}

// Listen implements Network.
func (m *memory) Listen(string, string) (net.Listener, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &memoryListener{addr: m.newAddr(), conns: make(chan net.Conn, 128), closed: make(chan struct{})}
	m.listeners[l.addr.String()] = l
	return l, nil
}

// Dial implements Network.
func (m *memory) Dial(_ context.Context, network, address string) (net.Conn, error) {
	m.mu.Lock()
	l, from := m.listeners[address], m.newAddr()
	m.mu.Unlock()
	if l != nil {
		client, server := newPipe(from, l.addr)
		select {
		case <-l.closed:
		case l.conns <- server:
			return client, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
}

type memoryListener struct {
	addr   net.Addr
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *memoryListener) Addr() net.Addr { return l.addr }

// reset closes c the hard way: its peer sees a reset.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	switch c := c.(type) {
	case *pipe:
		c.Reset()
	case *net.TCPConn:
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}

// closeWrite ends what c writes.
func closeWrite(c net.Conn) {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite()
	}
}

// refused is how a dial fails when nobody listens.
func refused(network, address string) error {
	return &net.OpError{Op: "dial " + address, Net: network, Err: syscall.ECONNREFUSED}
}

// blackhole is a dial that nobody answers.
func blackhole(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// patience bounds every wait for something that a scenario wants: real time on a
// busy machine, virtual time in a bubble, where it costs nothing.
const (
	patienceReal    = 15 * time.Second
	patienceVirtual = 10 * time.Minute
)
