// Package content reads messages from a connection: the bytes of heads, and the
// content behind them as HTTP/1.1 frames it. Server and transport share it, each
// for the messages that it receives. It also has what those who make exchanges
// share: content that is kept to be sent again, and tunnels.
package content

import (
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// A Reader is a connection and what has arrived on it. It is a source of bytes
// for http1.
type Reader struct {
	Conn conn.Conn
	Buf  conn.Buffer
	// Limit bounds what is buffered.
	Limit int
	// Timeout bounds the wait for the next bytes of content.
	Timeout time.Duration
	// Deadline is when the whole exchange must be over, on the clock of
	// exchange.Now; 0 is never.
	Deadline time.Duration
	// After is the phase that the connection returns to when they are there.
	After conn.Phase
}

// Buffered implements http1.Source.
func (r *Reader) Buffered() []byte { return r.Buf.Bytes() }

// Consume implements http1.Source.
func (r *Reader) Consume(n int) { r.Buf.Consume(n) }

// Fill implements http1.Source: it waits for more content.
func (r *Reader) Fill() error {
	wait, ok := r.patience()
	w := r.Conn.Watch()
	if !ok || !w.Begin(conn.PhaseBody, wait) {
		return conn.ErrEnded
	}
	err := r.Buf.Fill(r.Conn, r.Limit)
	w.Begin(r.After, 0)
	return err
}

// patience is how long the next bytes may take; false if the exchange should be
// over, however fast they come.
func (r *Reader) patience() (time.Duration, bool) {
	if r.Deadline == 0 {
		return r.Timeout, true
	}
	left := r.Deadline - exchange.Now()
	if r.Timeout > 0 {
		return min(left, r.Timeout), left > 0
	}
	return left, left > 0
}

// remaining is how long the rest of the content may take in all; 0 is without
// bound.
func (r *Reader) remaining() time.Duration {
	if r.Deadline == 0 {
		return 0
	}
	return max(r.Deadline-exchange.Now(), 1)
}
