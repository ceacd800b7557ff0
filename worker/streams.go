package worker

import "sync"

// streams knows which requests are under way on a connection, by the frames that
// have crossed it: a request is over when both sides have said their last, or
// either has reset it (RFC 9113 §5.1).
type streams struct {
	mu     sync.Mutex
	open   map[uint32]halves
	last   uint32 // the latest that was opened
	sealed bool   // nothing after last is taken in
	idle   chan struct{}
}

// halves says which directions of a stream have ended.
type halves struct{ in, out bool }

func newStreams() *streams {
	return &streams{open: map[uint32]halves{}, idle: make(chan struct{}, 1)}
}

// enter sees a frame of HEADERS come in; first tells whether it opens a stream.
// false: nobody is to see it, for the router was told so.
func (s *streams) enter(f frameHead) (first, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed && f.stream > s.last {
		return false, false
	}
	first = f.stream > s.last && f.stream%2 == 1
	if first {
		s.last = f.stream
		s.open[f.stream] = halves{}
	}
	return first, true
}

// shuns reports whether frames of a stream are left out.
func (s *streams) shuns(stream uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed && stream > s.last
}

// endIn notes that the router has said its last on a stream, endOut that we have.
func (s *streams) endIn(stream uint32)  { s.end(stream, halves{in: true}) }
func (s *streams) endOut(stream uint32) { s.end(stream, halves{out: true}) }

// reset notes that one side has given up on a stream.
func (s *streams) reset(stream uint32) { s.end(stream, halves{in: true, out: true}) }

func (s *streams) end(stream uint32, which halves) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, ok := s.open[stream]
	if !ok {
		return
	}
	now.in, now.out = now.in || which.in, now.out || which.out
	if !now.in || !now.out {
		s.open[stream] = now
		return
	}
	delete(s.open, stream)
	s.tellLocked()
}

// seal takes in no more streams, and returns the last that was.
func (s *streams) seal() (last uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	s.tellLocked()
	return s.last
}

// tellLocked puts a word into idle when nothing is under way, and nothing will
// be.
func (s *streams) tellLocked() {
	if !s.sealed || len(s.open) > 0 {
		return
	}
	select {
	case s.idle <- struct{}{}:
	default:
	}
}

// count returns how many are under way.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}
