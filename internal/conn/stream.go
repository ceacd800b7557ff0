package conn

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// A Stream is a Conn over any net.Conn.
//
// It waits by reading one byte, so that an idle connection holds no buffer. That
// is only done where a message begins: there is always more than one byte of it
// to come, so the read that follows may wait for the rest. Inside a head one
// byte may be all that is missing, so there it waits with a buffer.
type Stream struct {
	base
	first    [1]byte
	hasFirst bool
	ahead    []byte // what was read while waiting, in home
	home     *Memory
}

// NewStream returns a Conn over c, whatever c is. See New.
func NewStream(c net.Conn, dog *Watchdog, e Expirer) *Stream {
	s := &Stream{base: newBase(c, descriptor(c), dog, e)}
	if _, ok := c.(*tls.Conn); ok {
		// TLS ends one direction by an alert. Before a FIN there is always
		// that, so that when it came says nothing about the request.
		s.watch.closesWhole()
	}
	return s
}

// Loop implements Conn.
func (s *Stream) Loop(step func() bool) error {
	for !step() {
		if err := s.wait(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) wait() error {
	if s.isAhead() {
		return nil
	}
	if s.watch.Phase() == PhaseHead {
		return s.readAhead()
	}
	n, err := s.conn.Read(s.first[:])
	s.hasFirst = n == 1
	if n == 1 {
		return nil
	}
	return err
}

// readAhead waits for more of a message that has begun, and takes what comes.
func (s *Stream) readAhead() error {
	s.home = Borrow()
	n, err := s.conn.Read(s.home[:])
	s.ahead = s.home[:n]
	if n > 0 {
		return nil // an error comes again with the next read
	}
	s.dropAhead()
	return err
}

func (s *Stream) dropAhead() {
	if s.home != nil {
		Return(s.home)
		s.home, s.ahead = nil, nil
	}
}

// TryRead implements Conn.
func (s *Stream) TryRead(p []byte) (int, error) {
	switch {
	case !s.isAhead():
		return 0, ErrWouldBlock
	case s.hasFirst && s.watch.Phase() == PhaseIdle:
		// Waiting for the rest must not pass for being idle: it has a time
		// limit of its own, which the owner sets when it sees the beginning.
		return s.Read(p[:1])
	default:
		return s.Read(p)
	}
}

// Read implements Conn.
func (s *Stream) Read(p []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		if s.ahead = s.ahead[n:]; len(s.ahead) == 0 {
			s.dropAhead()
		}
		return n, nil
	}
	if !s.hasFirst {
		return s.conn.Read(p)
	}
	p[0] = s.first[0]
	s.hasFirst = false
	if len(p) == 1 {
		return 1, nil
	}
	n, _ := s.conn.Read(p[1:]) // an error comes again with the next read
	return n + 1, nil
}

// Write implements Conn.
func (s *Stream) Write(p []byte) (int, error) {
	was := s.watch.enter(PhaseWrite, s.writeTimeout)
	n, err := s.conn.Write(p)
	s.watch.back(PhaseWrite, was)
	return n, err
}

// WriteThenWait implements Conn.
func (s *Stream) WriteThenWait(p []byte) (int, error) {
	n, err := s.Write(p)
	if err == nil {
		err = s.wait()
	}
	return n, err
}

// CloseWrite implements Conn.
func (s *Stream) CloseWrite() error {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// aliveWait is how long Alive waits for TLS to say what has arrived.
const aliveWait = time.Millisecond

// Alive implements Conn. What a TLS peer has sent on an idle connection may be a
// session ticket, which counts for nothing, so it has to be read to tell; and it
// may have been taken off the socket already, together with something before it.
func (s *Stream) Alive() bool {
	if s.isAhead() {
		return false
	}
	until := longAgo // that is, without looking at the socket
	if s.fd >= 0 {
		if hungUp(s.fd) {
			return false
		}
		if unread(s.fd) {
			until = time.Now().Add(aliveWait)
		}
	}
	_ = s.conn.SetReadDeadline(until)
	n, err := s.conn.Read(s.first[:])
	_ = s.conn.SetReadDeadline(time.Time{})
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// isAhead reports whether bytes were read that nobody has asked for yet.
func (s *Stream) isAhead() bool { return s.hasFirst || len(s.ahead) > 0 }

// Park implements Conn.
func (s *Stream) Park(u Unparker) bool { return !s.isAhead() && s.base.Park(u) }

// Release implements Conn.
func (s *Stream) Release() error {
	if s.isAhead() {
		return ErrUnread
	}
	return s.base.Release()
}

// Close implements Conn.
func (s *Stream) Close() error {
	s.dropAhead()
	return s.base.Close()
}

// descriptor returns the file descriptor below c, also below TLS, or -1.
func descriptor(c net.Conn) int {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return -1
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return -1
	}
	fd := -1
	if rc.Control(func(d uintptr) { fd = int(d) }) != nil {
		return -1
	}
	return fd
}
