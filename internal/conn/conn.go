package conn

import (
	"errors"
	"net"
	"time"
)

// ErrWouldBlock is returned by TryRead when nothing has arrived.
var ErrWouldBlock = errors.New("nothing to read yet")

// ErrEnded is returned instead of waiting on a connection whose work has been
// ended; its Watch tells why.
var ErrEnded = errors.New("the connection's work has been ended")

// ErrUnread is returned by Release when bytes were taken off the connection that no
// Read has returned yet.
var ErrUnread = errors.New("the connection has been read ahead")

// A Conn is one connection, used by the goroutine that owns it. A second
// goroutine may write while the owner reads, or the other way round. Abort may
// be called from anywhere.
type Conn interface {
	carrier
	control
	parkable
}

// carrier is where the implementations differ: how bytes move, and how waiting for
// them is done.
type carrier interface {
	// Loop calls step, at once and then whenever something may have arrived,
	// until step returns true. Inside a step only TryRead reads. It returns an
	// error if waiting failed: the connection was aborted or is broken.
	Loop(step func() (done bool)) error
	// TryRead reads what has arrived, or returns ErrWouldBlock. It is for the
	// step of a Loop. A read that fills less than p has taken everything.
	TryRead(p []byte) (int, error)
	// Read waits for at least one byte.
	Read(p []byte) (int, error)
	// Write writes all of p, waiting for the peer to take it.
	Write(p []byte) (int, error)
	// WriteThenWait writes all of p and waits until something can be read. It
	// returns how many bytes were written.
	WriteThenWait(p []byte) (int, error)
	// CloseWrite says that nothing more will be written (a half-close).
	CloseWrite() error
	// Alive reports whether an idle connection can carry another message: its
	// peer has neither closed it nor sent anything on it.
	Alive() bool
}

// control is how a connection is ended and watched, whatever carries its bytes;
// base implements it.
type control interface {
	// Abort makes every operation, now and later, fail.
	Abort()
	// AbortRead makes only reading fail, until AllowRead.
	AbortRead()
	// AllowRead undoes AbortRead.
	AllowRead()
	// AllowWrite makes writing possible again after Abort, for d: for a last
	// word to the peer.
	AllowWrite(d time.Duration)
	// Close closes the connection and gives back its Watch.
	Close() error
	// Release gives back the Watch and leaves the connection underneath, open
	// and without deadlines, to somebody else, who reads and writes it himself.
	// From then on the Conn is dead, and its Close does nothing. After an error
	// it is to be closed: its work has been ended, or it holds bytes that nobody
	// has read. Not for the inside of a Loop, nor while a second goroutine uses
	// the Conn.
	Release() error
	// Watch is what the connection is doing, and until when.
	Watch() *Watch
	// SetWriteTimeout bounds how long the peer may take no byte while a Write
	// waits for it; 0 is without bound.
	SetWriteTimeout(d time.Duration)
	// NetConn is the connection underneath.
	NetConn() net.Conn
}

// parkable is how a connection comes to be without a goroutine; base implements it.
type parkable interface {
	// MayPark lets the watchdog have the connection parked when it has been idle
	// for a while. It ends the phase with the reason Parking; the Expirer is to
	// call AbortRead, and the owner, whose Loop fails or whose next phase cannot
	// begin, Stay. What cannot be parked never is.
	MayPark()
	// Stay undoes Parking, and is the first that an Unparker calls; false if the
	// connection's work has ended.
	Stay() bool
	// Park has an idle connection wait without a goroutine, unless it has ended
	// or cannot be parked. If it returns true, the owner's goroutine is to end:
	// u is the owner from the moment when it is called, on a goroutine of its
	// own, because something may have arrived or because of Unpark.
	Park(u Unparker) bool
	// Unpark has u called, if the connection is parked. It may be called from
	// anywhere.
	Unpark(u Unparker)
}

// An Unparker owns a parked connection, and goes on with it.
type Unparker interface {
	Unpark()
}

// New returns a Conn over c, watched by dog: a Raw where c is a plain socket of
// this operating system, else a Stream. Whoever calls it owns c through the Conn
// from then on. The expirer is told when the watchdog ends a phase.
func New(c net.Conn, dog *Watchdog, e Expirer) Conn {
	if r := newRaw(c, dog, e); r != nil {
		return r
	}
	return NewStream(c, dog, e)
}
