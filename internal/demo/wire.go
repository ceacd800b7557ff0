package demo

import (
	"net"
	"sync"
)

// A wire is a worker's connection, which can be made to freeze: it stays open, and
// nothing is read from it or written to it, as if the process had been stopped.
type wire struct {
	net.Conn
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	thawed chan struct{} // closed when it thaws; nil unless it is frozen
}

func newWire(nc net.Conn) *wire { return &wire{Conn: nc, closed: make(chan struct{})} }

// Read reads. What arrives while the wire is frozen is handed over when it thaws.
func (w *wire) Read(p []byte) (int, error) {
	w.wait()
	n, err := w.Conn.Read(p)
	w.wait()
	return n, err
}

// Write writes when the wire is not frozen.
func (w *wire) Write(p []byte) (int, error) {
	w.wait()
	return w.Conn.Write(p)
}

// CloseWrite says that nothing more will be written.
func (w *wire) CloseWrite() error {
	half, ok := w.Conn.(interface{ CloseWrite() error })
	if !ok {
		return net.ErrClosed
	}
	return half.CloseWrite()
}

// Close ends the wire, frozen or not.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.thawed == nil {
		w.thawed = make(chan struct{})
	}
}

func (w *wire) thaw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.thawed != nil {
		close(w.thawed)
		w.thawed = nil
	}
}

// wait returns when the wire is not frozen, or is closed.
func (w *wire) wait() {
	w.mu.Lock()
	thawed := w.thawed
	w.mu.Unlock()
	if thawed == nil {
		return
	}
	select {
	case <-thawed:
	case <-w.closed:
	}
}
