package content

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func TestMain(m *testing.M) {
	conn.Poison(true)
	goleak.VerifyTestMain(m)
}

// owner aborts its connection when its phase ends, as server and transport do.
type owner struct{ abort func() }

func (o *owner) Expire(conn.Phase) { o.abort() }

// newReader returns a reader of c, and a func that ends it.
func newReader(c net.Conn) (*Reader, func()) {
	o := &owner{abort: func() { _ = c.SetDeadline(time.Unix(1, 0)) }}
	r := &Reader{Conn: conn.New(c, new(conn.Watchdog), o), Limit: conn.BufferSize, After: conn.PhaseHold}
	return r, func() {
		r.Buf.Release()
		_ = r.Conn.Close()
	}
}

func overTCP(t *testing.T) (ours, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if peer, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return ours, peer
}

func TestReader_ReturnsToItsPhaseWhenContentHasCome(t *testing.T) {
	a, peer := net.Pipe()
	r, end := newReader(a)
	defer end()
	defer peer.Close()
	go func() { _, _ = io.WriteString(peer, "content") }()
	if err := r.Fill(); err != nil || !bytes.HasPrefix([]byte("content"), r.Buffered()) {
		t.Errorf("Fill leaves %q, %v", r.Buffered(), err)
	}
	if p := r.Conn.Watch().Phase(); p != conn.PhaseHold {
		t.Errorf("after Fill the phase is %d, want the one it returns to", p)
	}
}

// TestReader_BoundsTheWaitByWhatEndsFirst: its own time, or that of the exchange.
func TestReader_BoundsTheWaitByWhatEndsFirst(t *testing.T) {
	for _, tc := range []struct{ timeout, deadline, want time.Duration }{
		{time.Second, 0, time.Second},
		{time.Second, time.Minute, time.Second},
		{time.Minute, time.Second, time.Second},
		{0, 2 * time.Second, 2 * time.Second},
		{time.Minute, -time.Second, 0}, // it has passed already
	} {
		synctest.Test(t, func(t *testing.T) {
			a, peer := net.Pipe()
			r, end := newReader(a)
			r.Timeout = tc.timeout
			if tc.deadline != 0 {
				r.Deadline = exchange.Now() + tc.deadline
			}
			began := time.Now()
			if err := r.Fill(); err == nil {
				t.Error("Fill has returned without content")
			}
			if took := time.Since(began); took < tc.want || took > tc.want+3*conn.Tick {
				t.Errorf("with %v between bytes and %v in all the wait ends after %v, want %v", tc.timeout, tc.deadline, took, tc.want)
			}
			if w := r.Conn.Watch(); tc.want > 0 && (w.Ended() != conn.TimedOut || w.EndedPhase() != conn.PhaseBody) {
				t.Errorf("it ended for reason %d in phase %d, want a time-out in the content", w.Ended(), w.EndedPhase())
			}
			end()
			_ = peer.Close()
			time.Sleep(2 * conn.Tick)
		})
	}
}

// begin makes a body of that length of what comes on r.
func begin(r *Reader, length int64) *Body {
	b := new(Body)
	b.Begin(r, r, http1.Framing{Kind: http1.BodyLength, Length: length}, http1.BodyOptions{Limits: &http1.Limits{}})
	return b
}

func TestBody_SplicesWhatIsLeft(t *testing.T) {
	from, sender := overTCP(t)
	to, receiver := overTCP(t)
	r, end := newReader(from)
	defer end()
	w, endWriting := newReader(to)
	defer endWriting()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() { _, _ = sender.Write(append(sent, "next"...)) }()
	b := begin(r, int64(len(sent)))
	ahead, err := b.Next(true)
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.Clone(ahead)
	received := make(chan []byte)
	go func() {
		rest, _ := io.ReadAll(io.LimitReader(receiver, int64(len(sent)-len(got))))
		received <- rest
	}()
	n, handled, err := b.SpliceTo(w.Conn, conn.SpliceLimits{})
	if err != nil || !handled || n != int64(len(sent)-len(got)) {
		t.Fatalf("%d bytes behind the first %d were moved, handled %t, %v", n, len(got), handled, err)
	}
	if got = append(got, <-received...); !bytes.Equal(got, sent) {
		t.Error("the content has changed on its way")
	}
	if _, err := b.Next(true); !errors.Is(err, io.EOF) || !b.Done() {
		t.Errorf("behind the content Next returns %v, want the end", err)
	}
	if p := r.Conn.Watch().Phase(); p != conn.PhaseHold {
		t.Errorf("afterwards the phase is %d, want the one it returns to", p)
	}
}

func TestBody_SplicesOnlyWhatIsWorthIt(t *testing.T) {
	from, _ := overTCP(t)
	to, _ := overTCP(t)
	r, end := newReader(from)
	defer end()
	w, endWriting := newReader(to)
	defer endWriting()
	if n, handled, err := begin(r, spliceFrom-1).SpliceTo(w.Conn, conn.SpliceLimits{}); n != 0 || handled || err != nil {
		t.Errorf("a small rest was spliced: %d, %t, %v", n, handled, err)
	}
	chunked := new(Body)
	chunked.Begin(r, r, http1.Framing{Kind: http1.BodyChunked}, http1.BodyOptions{Limits: &http1.Limits{}})
	if n, handled, err := chunked.SpliceTo(w.Conn, conn.SpliceLimits{}); n != 0 || handled || err != nil {
		t.Errorf("chunked content was spliced: %d, %t, %v", n, handled, err)
	}
}
