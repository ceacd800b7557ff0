package http2

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// tick is how exact deadlines are while something is under way.
const tick = 50 * time.Millisecond

// A clock is the one timer of a connection. While requests are under way it looks
// at their deadlines every tick; else it wakes for PING only. It is guarded by
// Conn.mu.
type clock struct {
	timer    *time.Timer
	quick    bool
	stopped  bool
	settleBy time.Duration // the peer's SETTINGS; 0 once they are here
	nextPing time.Duration
	// lingerUntil is when a connection that ends is closed whatever waits to be
	// written; 0 is not yet.
	lingerUntil time.Duration
}

func (k *clock) begin(c *Conn, now time.Duration) {
	k.settleBy, k.nextPing, k.quick = now+c.opts.Handshake, now+c.opts.Ping, true
	k.timer = time.AfterFunc(tick, c.sweep)
}

// hurry has the clock tick: something may become due soon.
func (k *clock) hurry() {
	if !k.quick && !k.stopped {
		k.quick = true
		k.timer.Reset(tick)
	}
}

func (k *clock) stop() {
	k.stopped = true
	k.timer.Stop()
}

// sweep sees what is due.
func (c *Conn) sweep() {
	c.mu.Lock()
	defer c.unlock()
	k, now := &c.clock, exchange.Now()
	if k.stopped {
		return
	}
	switch {
	case k.lingerUntil > 0 && now >= k.lingerUntil:
		_ = c.nc.Close()
	case k.settleBy > 0 && now >= k.settleBy:
		c.end(ErrSilent)
	case c.out.writing && c.opts.Write > 0 && now-c.out.since >= c.opts.Write:
		c.end(ErrStuck)
	case k.settleBy == 0 && now >= k.nextPing:
		k.nextPing = now + c.opts.Ping
		c.ping()
	}
	c.watch(now)
	for _, s := range c.streams {
		switch {
		case !s.due(now):
		case s.buried:
			c.cancel(s, errCancel)
		default:
			s.cond.Broadcast()
		}
	}
	k.quick = len(c.streams) > 0 || c.alive.asked > 0 || c.out.writing || c.err != nil || k.settleBy > 0
	if k.quick {
		k.timer.Reset(tick)
	} else {
		k.timer.Reset(max(k.nextPing-now, tick))
	}
}
