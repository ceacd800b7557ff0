package http2

import (
	"errors"
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// uploadState is the sending of content that did not leave with its head. It is
// guarded by Conn.mu, but for started, which is the owner's.
type uploadState struct {
	started, running bool
	// late: the content is all there, the window was too small for it.
	late  bool
	bytes int64
}

// errSendEnded says that no more content can be sent. Why is known elsewhere.
var errSendEnded = errors.New("no more content can be sent")

// push sends one frame of content, and returns how much it took. The windows have
// been looked at.
func (s *Stream) push(data []byte, end bool) int {
	c := s.conn
	n := int(min(int64(len(data)), maxFrame, s.sendWindow, c.send.window))
	end = end && n == len(data)
	flags := uint8(0)
	if end {
		flags = flagEndStream
	}
	c.out.pending = appendFrame(c.out.pending, frameData, flags, s.id, data[:n])
	s.sendWindow -= int64(n)
	c.send.window -= int64(n)
	c.budget.sent(n)
	if end {
		s.end(true, false)
	}
	return n
}

// pushTrailer sends trailer fields, which end the request.
func (s *Stream) pushTrailer(trailer exchange.Header) {
	if len(trailer) == 0 {
		return
	}
	var e encoder
	e.trailer(trailer, s.conn.opts.Head.Headers)
	if len(e.block) == 0 {
		s.conn.out.pending = appendFrame(s.conn.out.pending, frameData, flagEndStream, s.id, nil)
	} else {
		s.conn.out.pending = appendHeaders(s.conn.out.pending, s.id, true, e.block)
	}
	s.end(true, false)
}

// transmit sends content, frame by frame, each when it is the stream's turn.
func (s *Stream) transmit(data []byte) error {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	defer c.send.leave(s)
	patience := s.patience()
	by := after(patience)
	for len(data) > 0 {
		switch {
		case s.quiet || s.stopped.Load() || s.removed || s.localEnded:
			return errSendEnded
		case passed(by):
			return exchange.Fail(exchange.CodeResponseTimeout, "the endpoint does not take the request", nil)
		case s.sendWindow <= 0:
			c.send.leave(s)
			c.wakeSender()
		default:
			c.send.enter(s)
		}
		if !c.send.mine(s) || c.send.window <= 0 || len(c.out.pending) >= maxPending {
			s.sendUntil = by
			s.cond.Wait()
			s.sendUntil = 0
			continue
		}
		data = data[s.push(data, false):]
		c.send.leave(s)
		c.wakeSender()
		c.kick()
		by = after(patience)
		s.moved = exchange.Now()
	}
	return nil
}

// startUpload sends the rest of the content on a goroutine of its own: the peer
// may answer before it has read everything.
func (s *Stream) startUpload() {
	x := s.x
	s.upload.started, s.upload.running = !s.upload.late, true
	if x.Request.ExpectContinue && x.Outcome.Attempts > 1 && !x.Continued {
		_ = x.Responder.Inform(&exchange.Response{Status: 100, Minor: 1, Reason: reason(100)})
	}
	go s.runUpload()
}

func (s *Stream) runUpload() {
	err := s.copyContent()
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	s.upload.running = false
	var f *exchange.Failure
	if errors.As(err, &f) {
		own := *f
		s.breakOff(s.sent(&own))
		return
	}
	// All was sent, or the peer takes no more. It may still answer, and say why.
	s.answerBy = after(c.opts.Response)
	s.cond.Broadcast()
}

// copyContent sends all that is left of the content.
func (s *Stream) copyContent() error {
	content := s.x.Request.Body
	if err := s.transmit(s.ahead); err != nil {
		return err
	}
	for {
		data, err := content.Next(true)
		if err == io.EOF {
			return s.finishContent(content.Trailer())
		}
		if err != nil {
			return err
		}
		if err := s.transmit(data); err != nil {
			return err
		}
		s.conn.mu.Lock()
		s.upload.bytes += int64(len(data))
		s.conn.mu.Unlock()
	}
}

func (s *Stream) finishContent(trailer exchange.Header) error {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	if s.quiet || s.removed {
		return errSendEnded
	}
	if len(trailer) > 0 {
		s.pushTrailer(trailer)
	} else {
		s.endContent()
	}
	c.kick()
	return nil
}

// endContent says that no more content follows.
func (s *Stream) endContent() {
	c := s.conn
	c.out.pending = appendFrame(c.out.pending, frameData, flagEndStream, s.id, nil)
	s.end(true, false)
}

// stopUpload ends the upload, if there is one under way.
func (s *Stream) stopUpload(x *exchange.Exchange) {
	c := s.conn
	c.mu.Lock()
	defer c.unlock()
	if !s.upload.running {
		return
	}
	s.quiet = true
	s.cond.Broadcast()
	c.mu.Unlock()
	x.Request.Body.Interrupt()
	c.mu.Lock()
	for s.upload.running {
		s.cond.Wait()
	}
}
