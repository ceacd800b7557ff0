package http2

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

const (
	// budgetMost is how many frames that bring nothing a peer may send at once,
	// budgetRate how many more every second.
	budgetMost = 2000
	budgetRate = 200
	// budgetRequest is what a request allows a peer besides, budgetBytes for how
	// many bytes of content it may widen a window once more.
	budgetRequest = 4
	budgetBytes   = 1 << 10
	// budgetStray is what a request that we give up allows: frames of its
	// response are on their way.
	budgetStray = 64
)

// A budget bounds frames that cost us work and bring nothing: SETTINGS, PING,
// PRIORITY, WINDOW_UPDATE, RST_STREAM, empty DATA, and whatever belongs to no
// request (RFC 9113 §10.5). It is guarded by Conn.mu.
type budget struct {
	spent int
	bytes int
	at    time.Duration // when what was spent was last forgiven
}

// costs charges the peer for a frame.
func (c *Conn) costs() *connError {
	b := &c.budget
	b.spent++
	if b.spent <= budgetMost {
		return nil
	}
	now := exchange.Now()
	b.forgive(int(min(now-b.at, time.Hour) * budgetRate / time.Second))
	b.at = now
	if b.spent <= budgetMost {
		return nil
	}
	return fatal(errTooMuch, "too many frames that bring nothing")
}

// forgive takes back n of what was spent, and keeps some for later.
func (b *budget) forgive(n int) { b.spent = max(b.spent-n, -budgetMost) }

// sent notes that content was sent.
func (b *budget) sent(n int) {
	b.bytes += n
	b.forgive(b.bytes / budgetBytes)
	b.bytes %= budgetBytes
}
