package transport

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/http2"
)

// A Stop ends a round trip from another goroutine. The zero value is ready for
// use, by one Call at a time; once stopped it stays so.
type Stop struct {
	fired atomic.Bool

	mu sync.Mutex
	// link is the connection that carries the round trip, if there is one
	// already; cancel ends the dial under way.
	link   *link
	cancel context.CancelFunc
	// stream is the stream that carries it, if it goes over HTTP/2.
	stream *http2.Stream
}

// Stop ends the round trip, whatever it waits for. RoundTrip then fails with
// CodeCancelled; if it has succeeded already, reading content fails. The endpoint
// sees its connection close. Before RoundTrip it keeps the round trip from
// beginning; after Call.Close it does nothing. It waits for nobody, and may be
// called any number of times.
func (s *Stop) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fired.Swap(true) {
		return
	}
	if s.cancel != nil {
		s.cancel()
	}
	if s.link != nil {
		s.link.conn().Watch().Cancel()
	}
	if s.stream != nil {
		s.stream.Stop()
	}
}

// stopped reports whether Stop was called; nil is never stopped.
func (s *Stop) stopped() bool { return s != nil && s.fired.Load() }

// attach has Stop end what is done on l; false if it was called already.
func (s *Stop) attach(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fired.Load() {
		return false
	}
	s.link = l
	return true
}

// detach has Stop leave the connection alone: it is about to be closed, or to
// become somebody else's.
func (s *Stop) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.stream = nil, nil
}

// attachStream is attach for HTTP/2.
func (s *Stop) attachStream(stream *http2.Stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fired.Load() {
		return false
	}
	s.stream = stream
	return true
}

// context returns a context that Stop ends too, until release; nil adds nothing to
// parent.
func (s *Stop) context(parent context.Context) (ctx context.Context, release func()) {
	if s == nil {
		return parent, func() {}
	}
	ctx, cancel := context.WithCancel(parent)
	s.setCancel(cancel)
	if s.stopped() {
		cancel()
	}
	return ctx, func() {
		s.setCancel(nil)
		cancel()
	}
}

func (s *Stop) setCancel(cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = cancel
}
