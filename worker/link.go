package worker

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// signTimeout is how long a router may take to show that it has seen that the
	// worker leaves.
	signTimeout = 5 * time.Second
	// lingering is how long a connection that we have ended waits for the router to
	// end it too. A system that still has something unread when it closes says so
	// with a reset, and that takes away from the router what it has not read.
	lingering = time.Second
)

// A link is one attached connection. The server of net/http reads and writes it as
// a net.Conn; it looks at the frames that pass, and takes leave without losing a
// request (see leave).
type link struct {
	net.Conn // TLS, or what is beneath it
	raw      net.Conn
	post     *post
	in       *inbound
	out      *outbound
	streams  *streams

	begun  chan struct{} // closed when the router has begun
	known  chan struct{} // closed when the router was told who this is
	moving chan struct{} // closed when another connection is to take over
	signed chan struct{} // closed when the router knows that we leave
	going  chan struct{} // closed when we leave
	closed chan struct{} // closed at the end

	once struct{ begun, known, moving, signed, going, closed sync.Once }
	// reason is what the router said when it left; may be empty.
	reason atomic.Pointer[string]
}

func newLink(p *post, nc, raw net.Conn, r *bufio.Reader) *link {
	l := &link{
		Conn: nc, raw: raw, post: p, streams: newStreams(),
		begun: make(chan struct{}), known: make(chan struct{}), moving: make(chan struct{}),
		signed: make(chan struct{}), going: make(chan struct{}), closed: make(chan struct{}),
	}
	l.out = &outbound{nc: nc, streams: l.streams, left: l.move}
	l.in = newInbound(r, l.streams, inboundEvents{
		settings: func() { l.once.begun.Do(func() { close(l.begun) }) },
		sign:     func() { l.once.signed.Do(func() { close(l.signed) }) },
		goAway: func(reason string) {
			l.reason.Store(&reason)
			l.move()
		},
		credit: func(n int) { l.out.say(appendCredit(nil, n)) },
	})
	return l
}

// Read is what the server reads.
func (l *link) Read(p []byte) (int, error) { return l.in.Read(p) }

// Write is what the server writes.
func (l *link) Write(p []byte) (int, error) { return l.out.Write(p) }

// SetWriteDeadline is not the server's: every write has a time of its own.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is for reading alone.
func (l *link) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

// tell notes that the router was told who this is.
func (l *link) tell() { l.once.known.Do(func() { close(l.known) }) }

// move asks for another connection in place of this one.
func (l *link) move() { l.once.moving.Do(func() { close(l.moving) }) }

// leave has the connection end when its requests are over.
func (l *link) leave() { l.once.going.Do(func() { close(l.going) }) }

// watch ends the connection when it is to leave, or ctx ends; it returns when
// nothing of it is left. cut is how many requests were not over in time.
func (l *link) watch(ctx context.Context, patience time.Duration) (cut int) {
	select {
	case <-l.closed:
		return 0
	case <-l.going:
	case <-ctx.Done():
	}
	return l.drain(patience)
}

// drain takes leave as RFC 9113 §6.8 advises:
//
//	GOAWAY with the highest id and PING   the router sends nothing new
//	the answer to that PING               what was on the way has come
//	GOAWAY with the last id that came     what comes now was never answered
//	the last stream ends                  and the connection does
//
// So no request is lost: one that was sent before the router knew is served, and
// if the router does not answer the PING, it is told which were not.
func (l *link) drain(patience time.Duration) (cut int) {
	end := time.NewTimer(patience)
	defer end.Stop()
	// A router that takes no byte would hold up what is said to it.
	last := time.AfterFunc(patience+lingering, func() { _ = l.raw.Close() })
	defer last.Stop()
	if l.out.announce(sign) {
		wait := time.NewTimer(min(signTimeout, patience))
		defer wait.Stop()
		select {
		case <-l.signed:
		case <-wait.C:
		case <-l.closed:
			return 0
		}
		l.out.conclude(l.streams.seal())
	} else {
		// The server of net/http leaves by itself, because a handler has said
		// Connection: close, or the router GOAWAY. It leaves out what comes after its
		// last id, and ends the connection after the last stream.
		select {
		case <-l.closed:
			return 0
		case <-end.C:
		}
	}
	select {
	case <-l.closed:
	case <-l.streams.idle:
	case <-end.C:
		cut = l.streams.count()
	}
	_ = l.Close()
	return cut
}

// Close ends the connection. It is called by the server when that has nothing
// more to say, and by who takes leave.
func (l *link) Close() error {
	l.once.closed.Do(func() {
		defer close(l.closed)
		defer l.raw.Close()
		half, ok := l.Conn.(interface{ CloseWrite() error })
		if !ok || l.out.broken.Load() {
			return
		}
		stop := time.AfterFunc(lingering, func() { _ = l.raw.Close() })
		defer stop.Stop()
		if half.CloseWrite() != nil {
			return
		}
		if l.raw != l.Conn { // TLS has said its last; so does what is beneath it
			if half, ok := l.raw.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		}
		_, _ = io.Copy(io.Discard, l.Conn)
	})
	return nil
}

// abort ends the connection at once.
func (l *link) abort() {
	_ = l.raw.Close()
	_ = l.Close()
}
