package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

const (
	// batchBytes is when a lane's buffer is handed to the writer.
	batchBytes = 64 << 10
	// batchSlack is room for the line that makes a buffer full.
	batchSlack = 4 << 10
	// maxBatches is how many buffers wait for a destination that is slow. It
	// bounds the access log's memory: 16 MiB of them, and one a lane.
	maxBatches = 256
	// spareBatches is how many buffers are kept for reuse once it kept up.
	spareBatches = 2 * maxLanes
	// flushInterval is how long a line waits at most until it is written.
	flushInterval = 100 * time.Millisecond
)

var errClosed = errors.New("observer is closed")

// An accessLog takes lines on the path and writes them on a goroutine of its
// own:
//
//	append ─▶ a lane's buffer ─(full, or 100 ms old)─▶ full ─▶ run ─▶ sink
//	               ▲                                            │
//	               └──────────────────── free ◀─────────────────┘
//
// A buffer belongs to its lane while it is filled, to the channel full while it
// waits, and to run while it is written. When maxBatches wait there, the lane's
// buffer stays as it is and lines are dropped.
type accessLog struct {
	format lineFormat
	lanes  []logLane
	full   chan []byte
	free   chan []byte
	wake   chan struct{} // a lane has its first line
	armed  atomic.Bool   // run knows that lines wait
	// lost counts lines dropped since the log said so itself, dropped all of
	// them, for the metric.
	lost    atomic.Uint64
	dropped *atomic.Uint64

	sink    *sink // of run alone
	logger  *slog.Logger
	reopens chan chan error
	stop    chan struct{}
	done    chan struct{}
}

// A logLane is one lane's buffer.
type logLane struct {
	mu     sync.Mutex
	buf    []byte
	clock  clock
	closed bool
	_      [64]byte // no two lanes' locks in a cache line
}

func newAccessLog(o LogOptions, s *sink, lanes int, dropped *atomic.Uint64, logger *slog.Logger) *accessLog {
	l := &accessLog{
		format:  withFields(lineFormats[o.Format], o.Format == FormatJSON, o.Fields),
		lanes:   make([]logLane, lanes),
		full:    make(chan []byte, maxBatches+2*lanes), // see handOverLocked
		free:    make(chan []byte, spareBatches),
		wake:    make(chan struct{}, 1),
		dropped: dropped,
		sink:    s,
		logger:  logger,
		reopens: make(chan chan error),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	go l.run()
	return l
}

// append adds the line of an exchange to its lane's buffer, or drops it. It
// reports false if the log is closed.
func (l *accessLog) append(on *lane, x *exchange.Exchange) bool {
	lane := &l.lanes[on.index]
	lane.mu.Lock()
	if lane.closed {
		lane.mu.Unlock()
		return false
	}
	if len(lane.buf) >= batchBytes && !l.handOverLocked(lane) {
		lane.mu.Unlock()
		l.drop(1)
		return true
	}
	first := len(lane.buf) == 0
	if lane.buf == nil {
		lane.buf = l.newBuffer()
	}
	lane.buf = l.format(lane.buf, &lane.clock, x)
	if len(lane.buf) >= batchBytes {
		l.handOverLocked(lane) // else the next line tries again
	}
	lane.mu.Unlock()
	if first {
		l.arm()
	}
	return true
}

// arm makes run look after the lanes within flushInterval.
func (l *accessLog) arm() {
	if !l.armed.Load() && l.armed.CompareAndSwap(false, true) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// handOverLocked gives the lane's lines to run, and reports false if too many
// wait there already. A lane's lines reach run in the order they were appended.
//
// All lanes may see the last place free at once, and flush adds a buffer a lane
// whether there is one or not: full has room for both, so that nobody blocks.
func (l *accessLog) handOverLocked(lane *logLane) bool {
	if len(l.full) >= maxBatches {
		return false
	}
	l.full <- lane.buf
	lane.buf = nil
	return true
}

func (l *accessLog) newBuffer() []byte {
	select {
	case buf := <-l.free:
		return buf
	default:
		return make([]byte, 0, batchBytes+batchSlack)
	}
}

// recycle keeps a buffer for reuse, unless a hostile line made it large.
func (l *accessLog) recycle(buf []byte) {
	if cap(buf) > 2*batchBytes {
		return
	}
	select {
	case l.free <- buf[:0]:
	default:
	}
}

func (l *accessLog) drop(lines int) {
	l.lost.Add(uint64(lines))
	l.dropped.Add(uint64(lines))
}

// run writes what is handed over, until stop is closed.
func (l *accessLog) run() {
	defer close(l.done)
	timer := time.NewTimer(flushInterval)
	timer.Stop()
	for {
		select {
		case buf := <-l.full:
			l.write(buf)
		case <-l.wake:
			timer.Reset(flushInterval)
		case <-timer.C:
			// Before the lanes are looked at: a line that comes to an
			// emptied lane from now on arms again.
			l.armed.Store(false)
			l.flush()
		case reply := <-l.reopens:
			l.flush()
			reply <- l.sink.reopen()
		case <-l.stop:
			l.flush()
			l.sink.close()
			return
		}
	}
}

// flush writes all lines that were appended before, and not those that come
// while it does: they may come faster than they are written.
func (l *accessLog) flush() {
	for i := range l.lanes {
		lane := &l.lanes[i]
		lane.mu.Lock()
		if len(lane.buf) > 0 {
			l.full <- lane.buf
			lane.buf = nil
		}
		lane.mu.Unlock()
	}
	for range len(l.full) {
		l.write(<-l.full) // nobody else takes from it
	}
	l.confess()
}

func (l *accessLog) write(buf []byte) {
	l.confess()
	if lost := l.sink.write(buf, l.logger); lost > 0 {
		l.drop(lost)
	}
	l.recycle(buf)
}

// confess writes a line that says how many lines are missing, if any are.
func (l *accessLog) confess() {
	lost := l.lost.Swap(0)
	if lost == 0 {
		return
	}
	if l.sink.write(l.sink.gap(lost), l.logger) > 0 {
		l.lost.Add(lost) // nobody was told yet
	}
}

func (l *accessLog) reopen() error {
	reply := make(chan error, 1)
	select {
	case l.reopens <- reply:
		return <-reply
	case <-l.done:
		return nil // closed, or replaced: its successor is open already
	}
}

// close writes all lines that were appended and closes the destination, or gives
// up when ctx is done. It is called once.
func (l *accessLog) close(ctx context.Context) error {
	for i := range l.lanes {
		lane := &l.lanes[i]
		lane.mu.Lock()
		lane.closed = true
		lane.mu.Unlock()
	}
	close(l.stop)
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write the last lines of the access log: %w", ctx.Err())
	}
}
