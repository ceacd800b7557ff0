package filewatch

import "time"

// A settling waits until nothing has happened for a while, or something has for long
// enough.
type settling struct {
	quiet, most time.Duration

	timer *time.Timer // nil if nothing has happened
	since time.Time   // when something happened first
}

// note notes that something has happened.
func (s *settling) note() {
	if s.timer == nil {
		s.since, s.timer = time.Now(), time.NewTimer(s.quiet)
		return
	}
	s.timer.Reset(min(s.quiet, time.Until(s.since.Add(s.most))))
}

// over returns a channel that can be received from when it has settled.
func (s *settling) over() <-chan time.Time {
	if s.timer == nil {
		return nil
	}
	return s.timer.C
}

// settle begins anew.
func (s *settling) settle() {
	s.stop()
	s.timer = nil
}

func (s *settling) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
}
