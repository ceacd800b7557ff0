package conn

import (
	"crypto/tls"
	"net"
	"time"
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// base is what all connections have, whatever carries their bytes.
type base struct {
	conn         net.Conn
	watch        *Watch
	dog          *Watchdog
	fd           int // of the socket below, or -1
	writeTimeout time.Duration
}

func newBase(c net.Conn, fd int, dog *Watchdog, e Expirer) base {
	return base{conn: c, watch: dog.register(fd, e), dog: dog, fd: fd}
}

// Abort implements Conn.
func (b *base) Abort() { _ = b.conn.SetDeadline(longAgo) }

// AbortRead implements Conn.
func (b *base) AbortRead() { _ = b.conn.SetReadDeadline(longAgo) }

// AllowRead implements Conn.
func (b *base) AllowRead() { _ = b.conn.SetReadDeadline(time.Time{}) }

// AllowWrite implements Conn.
func (b *base) AllowWrite(d time.Duration) { _ = b.conn.SetWriteDeadline(time.Now().Add(d)) }

// Close implements Conn.
func (b *base) Close() error {
	if b.watch == nil { // released
		return nil
	}
	b.watch.release()
	return b.conn.Close()
}

// Release implements Conn. The phase has no end, so that from then on the
// watchdog leaves the connection alone; if it has ended one before, it may yet
// set a deadline.
func (b *base) Release() error {
	if !b.watch.Begin(PhaseHold, 0) {
		return ErrEnded
	}
	if err := b.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	b.watch.release()
	b.watch = nil
	return nil
}

// MayPark implements Conn. While somebody waits for TLS there is no whole record that
// it holds back: what completes one makes the descriptor ready.
func (b *base) MayPark() {
	if _, secured := b.conn.(*tls.Conn); b.fd >= 0 && canPark && (secured || isSocket(b.conn)) {
		b.watch.setParks(true)
	}
}

// Stay implements Conn.
func (b *base) Stay() bool { return b.watch.stay(b.AllowRead) }

// Park implements Conn. Where the system has no room for it, it would have none a
// second later: the connection keeps its goroutine.
func (b *base) Park(u Unparker) bool {
	parked, err := b.dog.parking.add(int32(b.fd), b.watch, u)
	if err != nil {
		b.watch.setParks(false)
	}
	return parked
}

// Unpark implements Conn.
func (b *base) Unpark(u Unparker) {
	if b.dog.parking.remove(int32(b.fd), u) {
		go u.Unpark()
	}
}

// isSocket reports whether nothing stands between c and its descriptor.
func isSocket(c net.Conn) bool {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// Watch implements Conn.
func (b *base) Watch() *Watch { return b.watch }

// SetWriteTimeout implements Conn.
func (b *base) SetWriteTimeout(d time.Duration) { b.writeTimeout = d }

// NetConn implements Conn.
func (b *base) NetConn() net.Conn { return b.conn }
