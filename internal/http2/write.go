package http2

import (
	"runtime"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

const (
	// maxPending is how much content may wait to be written; who has more waits.
	maxPending = 64 << 10
	// maxHeads bounds what may wait in all for another request to be taken.
	maxHeads = 512 << 10
	// keptPending is how much memory for it is kept.
	keptPending = 4 << 10
)

// A writer collects frames, and has a goroutine write them while there are any.
// What comes while it writes goes out together with the next write. Nobody else
// ever waits for the network: a request keeps its deadlines and a reader can
// always answer, even if the peer takes nothing. It is guarded by Conn.mu.
type writer struct {
	pending, spare  []byte
	writing, broken bool
	// taken counts the bytes handed to the network, since is when it took the
	// last of them.
	taken int64
	since time.Duration
	run   func() // Conn.drain, made once: starting it allocates nothing
}

// position is where the next byte will be, hasLeft whether the one there was
// handed to the network, as far as anybody knows.
func (w *writer) position() int64       { return w.taken + int64(len(w.pending)) }
func (w *writer) hasLeft(at int64) bool { return w.taken > at }

// kick sees to it that what is pending gets written.
func (c *Conn) kick() {
	w := &c.out
	switch {
	case w.broken:
		_ = c.nc.Close()
	case w.writing || len(w.pending) == 0:
	default:
		w.writing, w.since = true, exchange.Now()
		c.clock.hurry()
		go w.run()
	}
}

// drain writes until nothing is pending. First it lets those run who wait for the
// processor: they are about to send something, too, and one write takes it all.
// When nobody waits, that takes no time.
func (c *Conn) drain() {
	runtime.Gosched()
	c.mu.Lock()
	defer c.unlock()
	w := &c.out
	for len(w.pending) > 0 && !w.broken {
		buf := w.pending
		w.pending = w.spare[:0]
		w.taken += int64(len(buf))
		w.since = exchange.Now()
		c.wakeSender()
		c.mu.Unlock()
		_, err := c.nc.Write(buf)
		c.mu.Lock()
		w.spare = buf[:0]
		if err != nil {
			w.broken = true
			c.end(err)
		}
	}
	w.writing = false
	w.rest(len(c.streams) == 0)
	if c.err != nil {
		_ = c.nc.Close()
	}
	c.finish()
}

// rest gives memory back.
func (w *writer) rest(idle bool) {
	if idle || cap(w.spare) > 2*maxPending {
		if cap(w.spare) > keptPending {
			w.spare = nil
		}
		if cap(w.pending) > keptPending && len(w.pending) == 0 {
			w.pending = nil
		}
	}
}
