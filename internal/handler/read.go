package handler

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// A reading is a request's content being read, one Read after the other, each on a
// goroutine of its own. What a Read brings lies in its memory until the next one
// is started.
type reading struct {
	from    io.ReadCloser
	running bool
	ready   chan struct{} // has one element when the Read is over
	mem     *conn.Memory
	n       int
	err     error
}

// start starts a Read. If that is said to be of use, it is given a turn: content
// that is there already has then arrived when start returns.
func (r *reading) start(turn bool) {
	if r.mem == nil {
		r.mem = conn.Borrow()
	}
	r.running = true
	go r.once()
	if turn {
		runtime.Gosched()
	}
}

func (r *reading) once() {
	r.n, r.err = r.from.Read(r.mem[:])
	r.ready <- struct{}{}
}

// take returns what the Read that is over has brought.
func (r *reading) take() ([]byte, error) {
	r.running = false
	return r.mem[:r.n:r.n], r.err
}

// end gives back the memory. No Read is under way any more.
func (r *reading) end() {
	if r.mem != nil {
		conn.Return(r.mem)
	}
	drain(r.ready)
	r.from, r.mem, r.running, r.err = nil, nil, false, nil
}

// failure is why the client could not be read.
func (b *requestBody) failure(err error) *exchange.Failure {
	var tooLarge *http.MaxBytesError
	var network *net.OpError
	switch {
	case errors.As(err, &tooLarge): // somebody before has a bound of his own
		return exchange.Fail(exchange.CodeContentTooLarge, "", err)
	case errors.Is(err, os.ErrDeadlineExceeded): // as that of the http.Server
		return exchange.Fail(exchange.CodeBodyTimeout, "", nil)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return endedEarly(err)
	case b.ws.request.ProtoMajor > 1 || errors.As(err, &network) || errors.Is(err, http.ErrBodyReadAfterClose):
		return exchange.Fail(exchange.CodeClientGone, "", err)
	default:
		return exchange.Fail(exchange.CodeMalformedBody, "", err)
	}
}

func endedEarly(err error) *exchange.Failure {
	return exchange.Fail(exchange.CodeMalformedBody, "the client closed before the end of its content", err)
}
