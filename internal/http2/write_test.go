package http2

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A countingConn counts how often it is written to.
type countingConn struct {
	net.Conn
	writes atomic.Int32
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// connectTCP returns both ends of a connection that takes what is written at once.
func connectTCP(t testing.TB) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// Calls of the system are most of what a request costs.
func TestWriter_SendsTheRequestsOfManyTogether(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // who can run is known then
	const requests = 32
	ours, theirs := connectTCP(t)
	counted := &countingConn{Conn: ours}
	p := newPeer(t, theirs)
	go p.settings()
	c, err := NewConn(counted, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer finish(c, p)
	before := counted.writes.Load()
	var all sync.WaitGroup
	together := make(chan struct{})
	for range requests {
		all.Go(func() {
			<-together
			b := begun{x: newExchange("GET", "/")}
			if f := c.RoundTrip(b.x, &b.s); f != nil {
				t.Errorf("a request failed: %v", f)
				return
			}
			b.s.Close(b.x)
		})
	}
	close(together)
	var streams []uint32
	for range requests {
		stream, _, _ := p.request()
		streams = append(streams, stream)
	}
	writes := counted.writes.Load() - before
	for _, stream := range streams {
		p.head(stream, true, ":status", "200")
	}
	all.Wait()
	if writes > requests/2 {
		t.Errorf("%d requests at once took %d writes; they should go out together", requests, writes)
	}
}
