package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// commentInterval is how long a stream is silent at most, so that proxies
	// on the way do not take it for dead, and a client that is gone is noticed.
	commentInterval = 15 * time.Second
	// reconnectDelay is how long clients are asked to wait before they
	// connect again.
	reconnectDelay = 2 * time.Second
	// streamWriteTimeout bounds how long a client may take nothing.
	streamWriteTimeout = 10 * time.Second
)

// An eventStream is the answer to one client that follows the events, as
// server-sent events (WHATWG HTML, section 9.2).
type eventStream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	next     NextEvent
	services []string // whose events are sent; none: all
	verbose  bool
	// at is the id of the last event there was, told the one that the client
	// was told. They differ when events are left out.
	at, told uint64
	buf      bytes.Buffer
}

func setStreamFields(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx on the way would wait for more
}

// serve sends events until the client has left or the listener stops.
func (s *eventStream) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(stopping(ctx), cancel)()
	setStreamFields(s.w.Header())
	fmt.Fprintf(&s.buf, "retry: %d\n", reconnectDelay.Milliseconds())
	s.appendID()
	for s.send() == nil {
		if s.wait(ctx) != nil {
			return
		}
	}
}

// wait appends the next event, or a comment if there is none for a while.
func (s *eventStream) wait(ctx context.Context) error {
	silence, cancel := context.WithTimeout(ctx, commentInterval)
	defer cancel()
	for {
		event, missed, err := s.next(silence)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && silence.Err() == nil:
			return err
		case err != nil:
			s.buf.WriteString(":\n")
			s.appendID()
			return nil
		}
		s.at = event.ID
		wanted := len(s.services) == 0 || slices.Contains(s.services, event.Service)
		if missed > 0 {
			fmt.Fprintf(&s.buf, "event: missed\ndata: {\"missed\":%d}\n\n", missed)
		}
		if wanted {
			s.appendEvent(event)
		}
		if s.buf.Len() > 0 {
			return nil
		}
	}
}

// appendEvent appends an event without what is not for everybody who may ask.
func (s *eventStream) appendEvent(event Event) {
	event.Endpoint, event.Time = redact(event.Endpoint), event.Time.UTC()
	if !s.verbose {
		event.Reason = ""
	}
	data, err := json.Marshal(event) // in one line
	if err != nil {
		return // a time that no calendar has
	}
	s.told = event.ID
	fmt.Fprintf(&s.buf, "id: %d\nevent: %s\ndata: %s\n\n", event.ID, event.Type, data)
}

// appendID tells a client that got no event lately where to go on should it have
// to reconnect, and ends the block. Without data it is no event.
func (s *eventStream) appendID() {
	if s.told != s.at {
		s.told = s.at
		fmt.Fprintf(&s.buf, "id: %d\n", s.at)
	}
	s.buf.WriteByte('\n')
}

func (s *eventStream) send() error {
	// Instead of the server's limit for a whole answer. Where it cannot be
	// changed there is none.
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
	_, err := s.w.Write(s.buf.Bytes())
	s.buf.Reset()
	if err != nil {
		return err
	}
	return s.control.Flush()
}
