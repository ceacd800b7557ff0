package http2

import (
	"io"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// body is the content of a response.
type body struct {
	stream *Stream
	size   int64 // of what was handed out last
}

// Next implements exchange.Body.
func (b *body) Next(wait bool) ([]byte, error) {
	s := b.stream
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.widen(b.size)
	b.size = 0
	var readBy time.Duration
	for first := true; ; first = false {
		if f := s.left(); f != nil {
			return nil, f
		}
		// What is not all there ends with the request's time, however fast it comes.
		if !s.remoteEnded && passed(s.x.Deadline) {
			return nil, exchange.Fail(exchange.CodeRequestDeadline, "", nil)
		}
		if data := s.collect(); data != nil {
			b.size = int64(len(data))
			return data, nil
		}
		switch {
		case s.broken != nil:
			return nil, incomplete(s.broken)
		case s.remoteEnded:
			return nil, io.EOF
		case !wait:
			return nil, nil
		case first: // there is something to wait for
			readBy = after(c.opts.Read)
		case passed(readBy):
			return nil, exchange.Fail(exchange.CodeResponseIncomplete, "no content within timeouts.read", nil)
		}
		s.until = sooner(readBy, s.x.Deadline)
		s.cond.Wait()
		s.until = 0
	}
}

// Trailer implements exchange.Body.
func (b *body) Trailer() exchange.Header { return b.stream.trailer.header }

// incomplete is what f means once the response's head was passed on.
func incomplete(f *exchange.Failure) *exchange.Failure {
	if f.Code.Side != exchange.SideEndpoint || f.Code == exchange.CodeRequestDeadline {
		return f
	}
	cut := exchange.Fail(exchange.CodeResponseIncomplete, f.Detail, f.Cause)
	cut.Sent = true
	return cut
}

// passed reports whether a moment has passed; 0 never does.
func passed(moment time.Duration) bool { return moment > 0 && exchange.Now() >= moment }

// after returns the moment after a time; 0, which is never, if that is 0.
func after(limit time.Duration) time.Duration {
	if limit == 0 {
		return 0
	}
	return exchange.Now() + limit
}

// sooner returns the earlier of two moments; 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
