//go:build real

package real

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A wire is what a worker reaches its router by: it carries bytes on, until it is
// told otherwise.
type wire struct {
	address string // where it is dialed
	to      string // where it leads

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // of both sides
	halted chan struct{}         // closed when bytes flow again; nil: they do
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.58.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{address: l.Addr().String(), to: to, conns: map[net.Conn]struct{}{}}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		w.flow(t)
		w.cut(t)
	})
	return w
}

// join carries what comes over c, both ways.
func (w *wire) join(c net.Conn) {
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = c.Close()
		return
	}
	w.mu.Lock()
	w.conns[c], w.conns[far] = struct{}{}, struct{}{}
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { w.carry(far, c) })
	both.Go(func() { w.carry(c, far) })
	both.Wait()
	w.mu.Lock()
	delete(w.conns, c)
	delete(w.conns, far)
	w.mu.Unlock()
	_ = c.Close()
	_ = far.Close()
}

// carry passes bytes on to their end, and the end too. An end that is no good one
// is the end of both.
func (w *wire) carry(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.wait()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		switch {
		case err == io.EOF:
			_ = to.(*net.TCPConn).CloseWrite()
			return
		case err != nil:
			reset(to)
			reset(from)
			return
		}
	}
}

// wait returns when bytes flow.
func (w *wire) wait() {
	w.mu.Lock()
	halted := w.halted
	w.mu.Unlock()
	if halted != nil {
		<-halted
	}
}

// halt has nothing pass, without a word; flow has it all pass again.
func (w *wire) halt(*testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.halted = make(chan struct{})
}

func (w *wire) flow(*testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halted != nil {
		close(w.halted)
		w.halted = nil
	}
}

// cut resets all connections, hangUp closes them where they are.
func (w *wire) cut(*testing.T)    { w.each(reset) }
func (w *wire) hangUp(*testing.T) { w.each(func(c net.Conn) { _ = c.Close() }) }

func (w *wire) each(do func(net.Conn)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		do(c)
	}
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}
