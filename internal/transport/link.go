package transport

import (
	"crypto/tls"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
)

// A link is one connection to an endpoint.
type link struct {
	owner  *HTTP1
	reader content.Reader
	opened time.Duration
	// used: it was kept before this exchange, after another one or a probe, so
	// that something may have happened to it meanwhile.
	used bool
	// restsSince is the tick in which it was put aside.
	restsSince uint64
	// answered: a byte of the present exchange's answer has arrived.
	answered bool
}

func (l *link) conn() conn.Conn { return l.reader.Conn }

// hides reports whether the link may hold bytes that nobody asked for and that the
// next request would take for its answer. On a plain socket the wait for an answer
// begins when there is more than those, and checkForStrayBytes sees them, unless
// they fill the buffer: so one that has rested is looked at, and one in constant use
// pays nothing. Other connections hand out whatever comes first.
func (l *link) hides() bool {
	_, plain := l.conn().(*conn.Raw)
	return l.used && (!plain || l.conn().Watch().Tick() > l.restsSince+1)
}

// await begins the wait for the response's head, for at most limit (0 is without
// limit) and until the deadlines of x; false if that is over already.
func (l *link) await(x *exchange.Exchange, limit time.Duration) bool {
	wait, ok := remaining(limit, headDeadline(x))
	return ok && l.conn().Watch().Begin(conn.PhaseAwait, wait)
}

func (l *link) close() {
	l.reader.Buf.Release()
	l.owner.active.Add(-1)
	if w := l.conn().Watch(); w.Ended() != conn.NotEnded && w.EndedPhase() != conn.PhaseIdle {
		l.hangUp()
	}
	_ = l.conn().Close()
}

// hangUp closes the socket below TLS. Taking leave as TLS does could wait for a
// peer that reads no more, and would say that the request was meant to end there.
func (l *link) hangUp() {
	if t, ok := l.conn().NetConn().(*tls.Conn); ok {
		_ = t.NetConn().Close()
	}
}

// Expire implements conn.Expirer, on the watchdog's goroutine.
func (l *link) Expire(p conn.Phase) {
	if p == conn.PhaseIdle {
		l.owner.drop(l)
		return
	}
	l.conn().Abort()
}
