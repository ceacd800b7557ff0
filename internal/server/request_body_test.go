package server

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

var hundred = strings.Repeat("0123456789", 10)

// overArrivals sends a hundred bytes in each way and has handle serve them.
func overArrivals(t *testing.T, o Options, handle func(t *testing.T, b exchange.RequestBody)) {
	for _, a := range arrivals {
		t.Run(a.how, func(t *testing.T) {
			serve := func(f *fake, x *exchange.Exchange) {
				if !a.withHead {
					go f.letNext()
				}
				handle(t, x.Request.Body)
			}
			overPipe(t, o, serve, func(f *fake) {
				if status := f.send(a.parts(hundred)...); status != 204 {
					t.Errorf("the answer has status %d, want that of the handler", status)
				}
			})
		})
	}
}

func TestRequestBody_StartsAgainWhenAllOfItIsKept(t *testing.T) {
	overArrivals(t, options(), func(t *testing.T, b exchange.RequestBody) {
		b.Keep(len(hundred))
		for range 3 {
			if got := readAll(t, b); got != hundred {
				t.Errorf("it reads %q", got)
			}
			if !b.Rewind() {
				t.Error("it cannot be rewound, although all of it may be kept")
			}
		}
	})
}

func TestRequestBody_ComesOnceWhenItIsLargerThanMayBeKept(t *testing.T) {
	overArrivals(t, options(), func(t *testing.T, b exchange.RequestBody) {
		b.Keep(len(hundred) - 1)
		if !b.Rewind() {
			t.Error("it cannot be rewound, although nothing was handed out")
		}
		if got := readAll(t, b); got != hundred {
			t.Errorf("it reads %q", got)
		}
		if b.Rewind() {
			t.Error("it can be rewound, although not all of it may be kept")
		}
		if data, err := b.Next(true); err != io.EOF {
			t.Errorf("behind its end it reads %q, %v", data, err)
		}
	})
}

func TestRequestBody_IsBoundedByTheServerUnlessToldOtherwise(t *testing.T) {
	for each, again := range map[int]bool{len(hundred): true, len(hundred) - 1: false} {
		o := options()
		o.Replay.Each = each
		overArrivals(t, o, func(t *testing.T, b exchange.RequestBody) {
			readAll(t, b)
			if b.Rewind() != again {
				t.Errorf("with %d bytes to be kept, that a hundred can be rewound is %t", each, !again)
			}
			if again { // the handler may leave it half read, but not the connection
				readAll(t, b)
			}
		})
	}
}

func TestRequestBody_LetsAWaitBeInterruptedAndGoesOn(t *testing.T) {
	serve := func(f *fake, x *exchange.Exchange) {
		b := x.Request.Body
		first, err := b.Next(true)
		if err != nil || string(first) != hundred[:50] {
			t.Errorf("the first half reads %q, %v", first, err)
		}
		waiting := make(chan error)
		go func() {
			_, err := b.Next(true)
			waiting <- err
		}()
		b.Interrupt()
		if err := <-waiting; !errors.Is(err, http1.ErrInterrupted) {
			t.Errorf("an interrupted wait ends with %v", err)
		}
		if !b.Rewind() {
			t.Error("what was kept cannot be rewound")
		}
		go f.letNext()
		if got := readAll(t, b); got != hundred {
			t.Errorf("afterwards it reads %q, want all", got)
		}
	}
	overPipe(t, options(), serve, func(f *fake) { f.send(arrivals[1].parts(hundred)...) })
}

// TestRequestBody_IsMovedInsideTheKernelOnlyIfItCannotBeKept: what is moved there
// cannot be sent again.
func TestRequestBody_IsMovedInsideTheKernelOnlyIfItCannotBeKept(t *testing.T) {
	large := strings.Repeat(hundred, 2000)
	for most, spliced := range map[int]bool{len(large): false, len(large) - 1: true} {
		serve := func(f *fake, x *exchange.Exchange) {
			b := x.Request.Body
			b.Keep(most)
			go f.letNext()
			dst, drained := sink(t)
			n, handled, err := b.(content.Splicer).SpliceTo(dst, conn.SpliceLimits{})
			if err != nil || handled != spliced || (n > 0) != spliced {
				t.Errorf("with %d bytes to be kept of %d, %d were moved, handled %t, %v", most, len(large), n, handled, err)
			}
			rest := readAll(t, b)
			_ = dst.Close()
			if int64(len(rest))+n != int64(len(large)) || <-drained != n {
				t.Errorf("%d bytes were moved and %d read, want %d in all", n, len(rest), len(large))
			}
			if b.Rewind() == spliced {
				t.Errorf("with %d bytes to be kept, that content which was moved (%t) can be rewound is %t", most, spliced, spliced)
			}
		}
		overTCP(t, options(), serve, func(f *fake) { f.send(head+lengthOf(large), large) })
	}
}

// sink returns a connection, and a channel that tells how many bytes were written
// to it.
func sink(t *testing.T) (conn.Conn, <-chan int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Error(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Error(err)
	}
	drained := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, theirs)
		_ = theirs.Close()
		drained <- n
	}()
	return conn.New(ours, new(conn.Watchdog), patient{}), drained
}

// patient has a connection on which nothing is bounded.
type patient struct{}

func (patient) Expire(conn.Phase) {}
