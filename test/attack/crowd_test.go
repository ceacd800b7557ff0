package attack

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A memory is a listener whose connections take no descriptors.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemory() *memory { return &memory{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Accept implements net.Listener.
func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

// Addr implements net.Listener.
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7000} }

func (m *memory) dial() net.Conn {
	ours, theirs := net.Pipe()
	m.conns <- theirs
	return ours
}

// besiegeInMemory is besiege; workers attach to what it returns.
func besiegeInMemory(t *testing.T) (*siege, *memory) {
	t.Helper()
	m := newMemory()
	s := newSiege(t, func(c *weir.Config) {
		c.Listeners = append(c.Listeners, c.Listeners[0])
		c.Listeners[1].Attach = true
		// A crowd takes no requests: whoever answers late is honest, and the machine busy.
		c.Services["default"] = config.Service{}
	})
	opened := 0
	s.listen = func(network, address string) (net.Listener, error) {
		if opened++; opened == 3 { // after those for clients
			return m, nil
		}
		return net.Listen(network, address)
	}
	s.begin()
	return s, m
}

// A crowd is workers of one attacker, each with a connection of its own.
type crowd struct {
	t       *testing.T
	mu      sync.Mutex
	conns   []net.Conn
	reading sync.WaitGroup
}

// attach attaches one, and returns the status it is answered.
func (c *crowd) attach(m *memory, token string, fields ...string) int {
	nc := m.dial()
	c.mu.Lock()
	c.conns = append(c.conns, nc)
	c.mu.Unlock()
	_ = nc.SetDeadline(time.Now().Add(soon))
	if _, err := io.WriteString(nc, asking(append(fields, bearer(token))...)); err != nil {
		c.t.Error(err)
		return 0
	}
	r := bufio.NewReaderSize(nc, 256)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		c.t.Error(err)
		return 0
	}
	_ = nc.SetDeadline(time.Time{})
	if answer.StatusCode == http.StatusSwitchingProtocols {
		c.reading.Go(func() { _, _ = io.CopyBuffer(io.Discard, r, make([]byte, 256)) })
		_, _ = nc.Write(frame(settings, 0, 0, settingsOf(maxStreams, 0)))
	}
	return answer.StatusCode
}

func (c *crowd) leave() {
	for _, nc := range c.conns {
		_ = nc.Close()
	}
	c.reading.Wait()
}

// crowdSize is more than there may be of services, but in -short.
func crowdSize() int {
	if testing.Short() {
		return 300
	}
	return 10000
}

// spread calls f for 0 to n-1, on a few goroutines.
func spread(n int, f func(i int)) {
	var all sync.WaitGroup
	const wide = 8
	for w := range wide {
		all.Go(func() {
			for i := w; i < n; i += wide {
				f(i)
			}
		})
	}
	all.Wait()
}

func TestCrowd_OfInstances(t *testing.T) {
	s, m := besiegeInMemory(t)
	n := crowdSize()
	s.heapMost = 1 << 30 // garbage counts; see below for what is kept
	c := &crowd{t: t}
	began := time.Now()
	spread(n, func(i int) {
		if status := c.attach(m, tokenOfVillain, fmt.Sprintf("Weir-Instance: one-of-%d", i)); status != 101 {
			t.Errorf("instance %d was answered %d", i, status)
		}
	})
	s.log.await(t, n, `msg="a worker attached" .*instance=one-of-`)
	t.Logf("%d instances attached in %s", n, time.Since(began))
	s.traffic.await(t, 20)
	runtime.GC()
	if each := (heap() - s.heap.before) / uint64(n); each > 64<<10 {
		t.Errorf("each takes %d bytes, more than 64 KiB", each)
	} else {
		t.Logf("each takes %d bytes, the attacker's side of it included", each)
	}
	began = time.Now()
	c.leave()
	s.log.await(t, n, `msg="a worker left" .*instance=one-of-`)
	t.Logf("and left in %s", time.Since(began))
	s.lift()
}

func TestCrowd_OfServices(t *testing.T) {
	s, m := besiegeInMemory(t)
	n := crowdSize()
	s.heapMost = 256 << 20
	const most = 1000
	c := &crowd{t: t}
	began := time.Now()
	spread(n, func(i int) {
		c.attach(m, tokenOfHonest, "Weir-Instance: i", fmt.Sprintf("Weir-Service: s%d", i))
	})
	taken := min(n, most-1) // aside@v1 is the other one
	s.log.await(t, taken, `msg="a worker attached" .*instance=i `)
	s.log.await(t, n-taken, `msg="a worker was not taken" .*error="there are too many services`)
	t.Logf("%d services came in %s", n, time.Since(began))
	c.leave()
	s.log.await(t, taken, `msg="a worker left" .*instance=i `)

	// Those that nobody serves any more make room for others.
	other := &crowd{t: t}
	other.attach(m, tokenOfHonest, "Weir-Instance: late", "Weir-Service: late")
	s.log.await(t, 1, `msg="a worker attached" .*instance=late`)
	other.leave()
	s.lift()
}
