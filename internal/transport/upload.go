package transport

import (
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// requestFraming returns how the content of a request is sent.
func requestFraming(req *exchange.Request) http1.Framing {
	switch {
	case req.Body == nil:
		return http1.Framing{Kind: http1.BodyNone}
	case req.Length >= 0:
		return http1.Framing{Kind: http1.BodyLength, Length: req.Length}
	default:
		return http1.Framing{Kind: http1.BodyChunked}
	}
}

// appendContent appends a piece of content the way it is framed.
func appendContent(dst, data []byte, f http1.Framing) []byte {
	if f.Kind == http1.BodyChunked {
		return http1.AppendChunk(dst, data)
	}
	return append(dst, data...)
}

// appendEnd appends what follows the last piece. A trailer cannot pose as one of
// the endpoint's configured fields.
func appendEnd(dst []byte, f http1.Framing, body exchange.Body, configured []exchange.Field) []byte {
	if f.Kind != http1.BodyChunked {
		return dst
	}
	trailer := body.Trailer()
	if len(trailer) > 0 && len(configured) > 0 {
		trailer = slices.Clone(trailer) // other endpoints get the same content
		http1.SkipNamed(trailer, configured)
	}
	return http1.AppendLastChunk(dst, trailer)
}

// An upload sends content that arrives after its head has left, on a goroutine
// of its own: the endpoint may answer before it has read everything, and may
// even need to be read before it reads on.
type upload struct {
	running bool
	done    chan struct{} // closed when the goroutine has ended
	over    atomic.Bool   // it is about to
	last    atomic.Bool   // what is being written is the end of the content
	whole   bool          // all content was sent
	cut     bool          // it was stopped before that
	bytes   int64
	failure *exchange.Failure

	// tryLeft is what was left of the try's time when the upload began; 0 is no
	// such bound. It goes on when all is sent: how long the client takes to send
	// its content is not the endpoint's fault.
	tryLeft time.Duration

	mu       sync.Mutex
	answered bool
}

// start sends the content of x that compose has left over.
func (u *upload) start(l *link, x *exchange.Exchange) {
	u.running, u.whole, u.cut, u.bytes, u.failure, u.answered = true, false, false, 0, nil, false
	u.tryLeft = 0
	if x.TryDeadline > 0 {
		u.tryLeft = max(x.TryDeadline-exchange.Now(), 1)
	}
	u.over.Store(false)
	u.last.Store(false)
	u.done = make(chan struct{})
	go u.run(l, x)
}

func (u *upload) run(l *link, x *exchange.Exchange) {
	defer close(u.done)
	err := u.copy(l, x)
	u.whole = err == nil
	u.over.Store(true)
	if err == nil {
		u.sentAll(l, x)
		return
	}
	var f *exchange.Failure
	if errors.As(err, &f) && f.Code.Side == exchange.SideClient {
		u.failure = f
		l.conn().Watch().Cancel() // the endpoint will never see the end of it
		return
	}
	// The endpoint takes no more. It may still answer, and say why.
	u.sentAll(l, x)
}

// sentAll begins the wait for the answer. If that has come, whoever passes it on
// knows for what he waits, the endpoint or the client.
func (u *upload) sentAll(l *link, x *exchange.Exchange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.answered {
		return
	}
	limit := l.owner.options().Response
	if u.tryLeft > 0 && (limit == 0 || u.tryLeft < limit) {
		limit = u.tryLeft
	}
	wait, ok := remaining(limit, x.Deadline)
	if !ok {
		wait = 1 // over with the next tick
	}
	l.conn().Watch().Begin(conn.PhaseAwait, wait)
}

// copy sends all that is left of the content.
func (u *upload) copy(l *link, x *exchange.Exchange) error {
	req := &x.Request
	framing := requestFraming(req)
	var out []byte
	for {
		data, err := u.next(l, req, framing)
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF {
			u.last.Store(true)
			_, err = l.conn().Write(appendEnd(nil, framing, req.Body, l.owner.options().Head.Headers))
			return err
		}
		u.bytes += int64(len(data))
		u.last.Store(x.Outcome.RequestBytes+u.bytes == req.Length)
		if framing.Kind == http1.BodyChunked {
			out = http1.AppendChunk(out[:0], data)
			data = out
		}
		if _, err := l.conn().Write(data); err != nil {
			return err
		}
	}
}

// next returns the content that is sent next. When all that has arrived is sent,
// the kernel may move the rest.
func (u *upload) next(l *link, req *exchange.Request, f http1.Framing) ([]byte, error) {
	if data, err := req.Body.Next(false); data != nil || err != nil {
		return data, err
	}
	n, err := u.splice(l, req, f)
	u.bytes += n
	if err != nil {
		return nil, err
	}
	return req.Body.Next(true)
}

// splice moves the rest of the content inside the kernel, if that can be.
func (u *upload) splice(l *link, req *exchange.Request, f http1.Framing) (int64, error) {
	s, ok := req.Body.(content.Splicer)
	if !ok || f.Kind != http1.BodyLength {
		return 0, nil
	}
	n, _, err := s.SpliceTo(l.conn(), conn.SpliceLimits{Write: l.owner.options().Write})
	return n, err
}

// headArrived notes that the response has begun; false if the upload has ended
// the exchange.
func (u *upload) headArrived(l *link) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answered = true
	return l.conn().Watch().Begin(conn.PhaseHold, 0)
}

// aMoment is how long a goroutine that has written everything may take to say so.
const aMoment = 50 * time.Millisecond

// finished reports whether everything was sent. The endpoint may have answered
// the last byte before the goroutine that wrote it gets to run again.
func (u *upload) finished() bool {
	if !u.running {
		return !u.cut
	}
	if !u.over.Load() && u.last.Load() {
		select {
		case <-u.done:
		case <-time.After(aMoment):
		}
	}
	return u.over.Load() && u.whole
}

// stop ends the upload, if there is one, and returns why it failed, if it did of
// itself. Unless it is over, neither connection is of use any more.
func (u *upload) stop(l *link, x *exchange.Exchange) *exchange.Failure {
	if !u.running {
		return nil
	}
	if !u.over.Load() {
		x.Request.Body.Interrupt()
		l.conn().Abort()
	}
	<-u.done
	u.running = false
	x.Outcome.RequestBytes += u.bytes
	return u.failure
}
