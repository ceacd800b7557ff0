package proxytest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeSize is how many bytes one direction of a pipe holds: enough for what
// scenarios send in one go, and little enough to be filled by a flood.
const pipeSize = 64 << 10

// newPipe returns the two ends of a connection in memory. Unlike net.Pipe it
// buffers, and each direction ends by itself, as with TCP. All waiting is for a
// sync.Cond, so that virtual time advances meanwhile.
func newPipe(from, to net.Addr) (client, server *pipe) {
	there, back := newDirection(), newDirection()
	return &pipe{in: back, out: there, local: from, remote: to}, &pipe{in: there, out: back, local: to, remote: from}
}

// A pipe is one end of a connection in memory.
type pipe struct {
	in, out       *direction
	local, remote net.Addr
}

// A direction is the bytes under way from one end to the other.
type direction struct {
	mu    sync.Mutex
	moved sync.Cond
	buf   []byte
	// ended: the writer sends no more. left: the reader takes no more.
	ended, left bool
	// reset: the connection is gone, and what was under way with it.
	reset       bool
	read, write deadline
}

func newDirection() *direction {
	d := &direction{}
	d.moved.L = &d.mu
	return d
}

// A deadline is when waiting fails.
type deadline struct {
	passed bool
	timer  *time.Timer
}

// set changes a deadline of d.
func (d *direction) set(which *deadline, t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if which.timer != nil {
		which.timer.Stop()
		which.timer = nil
	}
	which.passed = !t.IsZero() && !t.After(time.Now())
	if !t.IsZero() && !which.passed {
		var mine *time.Timer
		mine = time.AfterFunc(time.Until(t), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if which.timer == mine { // not changed meanwhile
				which.passed = true
				d.moved.Broadcast()
			}
		})
		which.timer = mine
	}
	d.moved.Broadcast()
}

// Read implements net.Conn.
func (p *pipe) Read(b []byte) (int, error) {
	d := p.in
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.left:
			return 0, net.ErrClosed
		case d.reset:
			return 0, syscall.ECONNRESET
		case d.read.passed:
			return 0, os.ErrDeadlineExceeded
		case len(d.buf) > 0:
			n := copy(b, d.buf)
			d.buf = d.buf[n:]
			d.moved.Broadcast()
			return n, nil
		case d.ended:
			return 0, io.EOF
		}
		d.moved.Wait()
	}
}

// Write implements net.Conn.
func (p *pipe) Write(b []byte) (n int, err error) {
	d := p.out
	d.mu.Lock()
	defer d.mu.Unlock()
	for n < len(b) {
		switch {
		case d.ended:
			return n, net.ErrClosed
		case d.reset, d.left:
			return n, syscall.EPIPE
		case d.write.passed:
			return n, os.ErrDeadlineExceeded
		case len(d.buf) < pipeSize:
			k := min(len(b)-n, pipeSize-len(d.buf))
			d.buf = append(d.buf, b[n:n+k]...)
			n += k
			d.moved.Broadcast()
			continue
		}
		d.moved.Wait()
	}
	return n, nil
}

// CloseWrite ends the direction that p writes to.
func (p *pipe) CloseWrite() error {
	p.out.change(func(d *direction) { d.ended = true })
	return nil
}

// Close implements net.Conn.
func (p *pipe) Close() error {
	_ = p.CloseWrite()
	p.in.change(func(d *direction) { d.left = true })
	return nil
}

// Reset closes the connection as a reset does: what is under way is lost.
func (p *pipe) Reset() {
	for _, d := range []*direction{p.in, p.out} {
		d.change(func(d *direction) { d.reset, d.buf = true, nil })
	}
}

func (d *direction) change(f func(d *direction)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
	d.moved.Broadcast()
}

// LocalAddr implements net.Conn.
func (p *pipe) LocalAddr() net.Addr { return p.local }

// RemoteAddr implements net.Conn.
func (p *pipe) RemoteAddr() net.Addr { return p.remote }

// SetDeadline implements net.Conn.
func (p *pipe) SetDeadline(t time.Time) error {
	_ = p.SetReadDeadline(t)
	return p.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.in.set(&p.in.read, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (p *pipe) SetWriteDeadline(t time.Time) error {
	p.out.set(&p.out.write, t)
	return nil
}
