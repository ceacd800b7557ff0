package conn

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// A Raw is a Conn on the descriptor of a TCP or Unix stream socket.
//
// The descriptor stays valid until Close, which only the owner calls, so reads
// and writes go to it directly; the runtime's poller is asked only to wait.
type Raw struct {
	base
	raw syscall.RawConn

	// The ways of waiting. Each is made when it is first needed, because an
	// idle connection should be small, and once per connection, because a
	// closure per wait would be an allocation per request.
	loop     *looping
	reading  *reading
	writing  *writing
	exchange *exchanging
}

// looping is a Loop: what the poller calls, and the step that it calls.
type looping struct {
	step   func() bool
	onWake func(fd uintptr) bool
}

// reading is a Read that waits.
type reading struct {
	p      []byte
	n      int
	err    error
	onWake func(fd uintptr) bool
}

// writing is a Write that waits.
type writing struct {
	p      []byte
	n      int
	err    error
	was    uint64 // what the connection did before
	onWake func(fd uintptr) bool
}

// exchanging is a WriteThenWait.
type exchanging struct {
	p      []byte
	n      int
	err    error
	sent   bool
	onWake func(fd uintptr) bool
}

func newRaw(c net.Conn, dog *Watchdog, e Expirer) Conn {
	if !isSocket(c) {
		return nil
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	fd := descriptor(c)
	if err != nil || fd < 0 {
		return nil
	}
	return &Raw{base: newBase(c, fd, dog, e), raw: raw}
}

// Loop implements Conn. The whole life of a client's connection is one wait of
// the runtime's poller that is never done: between two steps nothing resets the
// readiness that arrived during the first.
func (r *Raw) Loop(step func() bool) error {
	if r.loop == nil {
		l := new(looping)
		l.onWake = func(uintptr) bool { return l.step() }
		r.loop = l
	}
	r.loop.step = step
	return r.raw.Read(r.loop.onWake)
}

// TryRead implements Conn.
func (r *Raw) TryRead(p []byte) (int, error) {
	n, err := sysRead(r.fd, p)
	if err == syscall.EAGAIN {
		return 0, ErrWouldBlock
	}
	return n, err
}

// Read implements Conn.
func (r *Raw) Read(p []byte) (int, error) {
	if r.reading == nil {
		w := new(reading)
		w.onWake = func(fd uintptr) bool {
			w.n, w.err = sysRead(int(fd), w.p)
			return w.err != syscall.EAGAIN
		}
		r.reading = w
	}
	w := r.reading
	w.p = p
	err := r.raw.Read(w.onWake)
	w.p = nil
	if err != nil {
		return 0, err
	}
	return w.n, w.err
}

// Write implements Conn.
func (r *Raw) Write(p []byte) (int, error) {
	n, err := sysWrite(r.fd, p)
	if err == nil && n == len(p) {
		return n, nil
	}
	if err != nil && err != syscall.EAGAIN {
		return max(n, 0), err
	}
	return r.writeRest(p, max(n, 0))
}

// writeRest writes p from n on, waiting for the peer to make room.
func (r *Raw) writeRest(p []byte, n int) (int, error) {
	if r.writing == nil {
		w := new(writing)
		w.onWake = func(uintptr) bool { return r.writeSome(w) }
		r.writing = w
	}
	w := r.writing
	w.was = r.watch.enter(PhaseWrite, r.writeTimeout)
	w.p, w.n, w.err = p, n, nil
	err := r.raw.Write(w.onWake)
	w.p = nil
	r.watch.back(PhaseWrite, w.was)
	if err == nil {
		err = w.err
	}
	return w.n, err
}

// writeSome writes until the socket takes no more; false is to wait.
func (r *Raw) writeSome(w *writing) (done bool) {
	for w.n < len(w.p) {
		n, err := sysWrite(r.fd, w.p[w.n:])
		if err == syscall.EAGAIN {
			return false
		}
		if err != nil {
			w.err = err
			return true
		}
		w.n += n
		r.watch.prolong(PhaseWrite, r.writeTimeout, w.was)
	}
	return true
}

// WriteThenWait implements Conn. Readiness is armed by entering the poller's
// read before anything is written, so the answer cannot be missed and is not
// looked for before it is there.
func (r *Raw) WriteThenWait(p []byte) (int, error) {
	if r.exchange == nil {
		w := new(exchanging)
		w.onWake = func(uintptr) bool {
			if w.sent {
				return true
			}
			w.sent = true
			w.n, w.err = r.Write(w.p)
			return w.err != nil
		}
		r.exchange = w
	}
	w := r.exchange
	w.p, w.n, w.err, w.sent = p, 0, nil, false
	err := r.raw.Read(w.onWake)
	w.p = nil
	if w.err != nil {
		err = w.err
	}
	return w.n, err
}

// CloseWrite implements Conn.
func (r *Raw) CloseWrite() error { return syscall.Shutdown(r.fd, syscall.SHUT_WR) }

// Alive implements Conn.
func (r *Raw) Alive() bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(r.fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}

// sysRead and sysWrite never block: the descriptors are in non-blocking mode.
// So the scheduler need not be told that the thread may be gone for long. They
// are recvfrom and sendto because those go to the socket directly, not through
// what the kernel does for files of any kind.
func sysRead(fd int, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
		switch {
		case e == syscall.EINTR:
		case e == syscall.EAGAIN:
			return 0, syscall.EAGAIN
		case e != 0:
			return 0, e
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}

func sysWrite(fd int, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_NOSIGNAL, 0, 0)
		switch {
		case e == syscall.EINTR:
		case e == syscall.EAGAIN:
			return 0, syscall.EAGAIN
		case e != 0:
			return 0, e
		default:
			return int(n), nil
		}
	}
}
