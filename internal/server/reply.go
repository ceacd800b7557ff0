package server

import (
	"errors"
	"io"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A reply is the way back to the client, for one exchange after the other. It
// implements exchange.Responder.
type reply struct {
	client *client
	// whole: a final response was sent to its end.
	whole bool
	// closing: the client was told that the connection closes.
	closing bool
	// upgraded: the connection speaks something else now.
	upgraded bool
}

func (r *reply) begin() { r.whole, r.closing, r.upgraded = false, false, false }

// Inform implements exchange.Responder.
func (r *reply) Inform(resp *exchange.Response) error {
	if resp.Status == 100 {
		r.client.ws.x.Continued = true
	}
	m := conn.Borrow()
	defer conn.Return(m)
	return r.write(http1.AppendInterim(m[:0], resp))
}

// Respond implements exchange.Responder.
func (r *reply) Respond(resp *exchange.Response) error {
	x := &r.client.ws.x
	x.Outcome.Status = resp.Status
	r.client.conn.SetWriteTimeout(x.WriteTimeout)
	if resp.Tunnel != nil {
		return r.tunnel(resp)
	}
	framing := responseFraming(resp, x.Request.Minor)
	r.closing = r.mustClose(framing)
	m := conn.Borrow()
	defer conn.Return(m)
	out := http1.AppendResponseHead(m[:0], resp, framing, &http1.ResponseHead{
		Method: x.Request.Method,
		Minor:  x.Request.Minor,
		Close:  r.closing,
	})
	if resp.Body == nil {
		r.whole = true
		return r.write(out)
	}
	err := r.content(out, resp.Body, framing)
	r.whole = err == nil
	return err
}

// responseFraming returns how a response's content reaches a client of that
// minor version.
func responseFraming(resp *exchange.Response, minor uint8) http1.Framing {
	switch {
	case resp.Body == nil:
		return http1.Framing{Kind: http1.BodyNone}
	case resp.Length >= 0:
		return http1.Framing{Kind: http1.BodyLength, Length: resp.Length}
	default:
		return http1.Framing{Kind: http1.BodyChunked}.ForClient(minor)
	}
}

// mustClose decides whether the client is told that the connection closes after
// this response.
func (r *reply) mustClose(f http1.Framing) bool {
	ws, x := r.client.ws, &r.client.ws.x
	return !ws.framing.KeepAlive ||
		f.Kind == http1.BodyUntilClose ||
		!ws.body.ended() || // an early answer: the rest of the request is not wanted
		x.Request.ExpectContinue && !x.Continued ||
		r.client.server.closing.Load()
}

// content sends what is in out, and the response's content as it arrives: as much
// as is there goes out with the head in one write.
func (r *reply) content(out []byte, body exchange.Body, f http1.Framing) error {
	total := &r.client.ws.x.Outcome.ResponseBytes
	for {
		data, err := body.Next(false)
		if data == nil && err == nil {
			// No more has arrived: what there is goes out before waiting.
			if err := r.write(out); err != nil {
				return err
			}
			out = out[:0]
			if done, err := r.splice(body, f); done {
				return err
			}
			data, err = body.Next(true)
		}
		switch {
		case err == io.EOF:
			if f.Kind == http1.BodyChunked {
				out = http1.AppendLastChunk(out, body.Trailer())
			}
			return r.write(out)
		case err != nil:
			_ = r.write(out) // what has arrived is passed on; closing tells that it is not all
			return err
		}
		*total += int64(len(data))
		if out, err = r.add(out, data, f); err != nil {
			return err
		}
	}
}

// add appends content to out, or writes both if they are too much for it.
func (r *reply) add(out, data []byte, f http1.Framing) ([]byte, error) {
	const chunkOverhead = 16
	if len(out)+len(data)+chunkOverhead <= cap(out) {
		if f.Kind == http1.BodyChunked {
			return http1.AppendChunk(out, data), nil
		}
		return append(out, data...), nil
	}
	if f.Kind == http1.BodyChunked {
		out = http1.AppendChunkHead(out, len(data))
	}
	if err := r.write(out); err != nil {
		return out[:0], err
	}
	err := r.write(data)
	out = out[:0]
	if f.Kind == http1.BodyChunked {
		out = append(out, '\r', '\n')
	}
	return out, err
}

// splice moves the rest of the content inside the kernel, if that can be.
func (r *reply) splice(body exchange.Body, f http1.Framing) (done bool, err error) {
	s, ok := body.(content.Splicer)
	if !ok || f.Kind != http1.BodyLength {
		return false, nil
	}
	x := &r.client.ws.x
	n, handled, err := s.SpliceTo(r.client.conn, conn.SpliceLimits{Write: x.WriteTimeout})
	x.Outcome.ResponseBytes += n
	var read *conn.ReadError
	switch {
	case errors.As(err, &read):
		return true, exchange.Fail(exchange.CodeResponseIncomplete, "", read.Err)
	case err != nil:
		return true, r.failure(err)
	}
	return handled && n > 0, nil
}

// write writes to the client.
func (r *reply) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if r.client.conn.Watch().Ended() == conn.TimedOut {
		r.client.conn.AllowWrite(lastWord)
	}
	if _, err := r.client.conn.Write(p); err != nil {
		return r.failure(err)
	}
	return nil
}

// failure is why something could not be written to the client.
func (r *reply) failure(err error) *exchange.Failure {
	w := r.client.conn.Watch()
	if w.Ended() == conn.TimedOut && w.EndedPhase() == conn.PhaseWrite {
		return exchange.Fail(exchange.CodeClientStalled, "", err)
	}
	return exchange.Fail(exchange.CodeClientGone, "", err)
}

// tunnel answers 101 and carries bytes both ways until both sides have ended, or
// nothing has moved for the tunnel's time-out.
func (r *reply) tunnel(resp *exchange.Response) error {
	r.upgraded, r.closing = true, true
	c, x := r.client, &r.client.ws.x
	m := conn.Borrow()
	head := http1.AppendResponseHead(m[:0], resp, http1.Framing{}, &http1.ResponseHead{Minor: x.Request.Minor, Upgrade: true})
	err := r.write(head)
	conn.Return(m)
	if err != nil {
		return err
	}
	t := content.Tunnel{Client: c.conn, Other: resp.Tunnel}
	t.Touch = func() bool { return c.conn.Watch().Begin(conn.PhaseTunnel, x.TunnelTimeout) }
	t.Run(c.ws.in.Bytes())
	x.Outcome.RequestBytes += t.Up
	x.Outcome.ResponseBytes += t.Down
	r.whole = true
	return nil
}
