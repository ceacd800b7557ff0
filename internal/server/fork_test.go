package server

import (
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

func TestRequestBody_IsHandedOutToManyOnceItIsLoaded(t *testing.T) {
	overArrivals(t, options(), func(t *testing.T, b exchange.RequestBody) {
		b.Keep(len(hundred))
		if whole, err := b.Load(); !whole || err != nil {
			t.Errorf("Load returns %t, %v, although all of it may be kept", whole, err)
			return
		}
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() { readTwice(t, b.Fork()) })
		}
		readTwice(t, b)
		readers.Wait()
	})
}

func readTwice(t *testing.T, b exchange.RequestBody) {
	for range 2 {
		if got := readAll(t, b); got != hundred {
			t.Errorf("it reads %q", got)
		}
		b.Interrupt()
		if !b.Rewind() {
			t.Error("what was loaded cannot be rewound")
		}
	}
	if whole, err := b.Load(); !whole || err != nil {
		t.Errorf("what was loaded loads as %t, %v", whole, err)
	}
	if got := readAll(t, b.Fork()); got != hundred {
		t.Errorf("a fork of what was loaded reads %q", got)
	}
}

func TestRequestBody_LosesNothingWhenItIsTooLargeToLoad(t *testing.T) {
	for _, most := range []int{len(hundred) - 1, len(hundred) / 2, 0} {
		overArrivals(t, options(), func(t *testing.T, b exchange.RequestBody) {
			b.Keep(most)
			wantOnce(t, b)
		})
	}
}

// wantOnce reports an error unless b cannot be loaded and is read exactly once.
func wantOnce(t *testing.T, b exchange.RequestBody) {
	t.Helper()
	for range 2 {
		if whole, err := b.Load(); whole || err != nil {
			t.Errorf("Load returns %t, %v, although it is too large", whole, err)
		}
	}
	if !b.Rewind() {
		t.Error("after Load it cannot be rewound, although nothing was handed out")
	}
	if got := readAll(t, b); got != hundred {
		t.Errorf("after Load it reads %q, want all of it", got)
	}
	if b.Rewind() {
		t.Error("it can be rewound, although it is too large")
	}
}

func TestRequestBody_SharesTheBoundOnAllRequests(t *testing.T) {
	o := options()
	o.Replay.Total = int64(len(hundred)) - 1
	for _, a := range arrivals[1:] { // what comes with the head takes no memory of its own
		serve := func(f *fake, x *exchange.Exchange) {
			go f.letNext()
			x.Request.Body.Keep(1 << 20)
			wantOnce(t, x.Request.Body)
		}
		overPipe(t, o, serve, func(f *fake) { f.send(a.parts(hundred)...) })
	}
}

// TestRequestBody_DoesNotWaitForWhatIsKnownToBeTooLarge: the length says it.
func TestRequestBody_DoesNotWaitForWhatIsKnownToBeTooLarge(t *testing.T) {
	serve := func(f *fake, x *exchange.Exchange) {
		x.Request.Body.Keep(99)
		if whole, err := x.Request.Body.Load(); whole || err != nil {
			t.Errorf("Load returns %t, %v", whole, err)
		}
		go f.letNext() // only now
		if got := readAll(t, x.Request.Body); got != hundred {
			t.Errorf("it reads %q", got)
		}
	}
	overPipe(t, options(), serve, func(f *fake) { f.send(arrivals[1].parts(hundred)...) })
}

func TestRequestBody_HandsOutWhatIsKeptInPieces(t *testing.T) {
	large := strings.Repeat(hundred, 2000)
	serve := func(f *fake, x *exchange.Exchange) {
		go f.letNext()
		b := x.Request.Body
		b.Keep(len(large))
		if whole, err := b.Load(); !whole || err != nil {
			t.Errorf("Load returns %t, %v", whole, err)
		}
		for _, b := range []exchange.RequestBody{b, b.Fork()} {
			if first, err := b.Next(false); len(first) != 64<<10 || err != nil {
				t.Errorf("at first %d bytes are handed out, %v; want no more than %d at once", len(first), err, 64<<10)
			}
			b.Rewind()
			if got := readAll(t, b); got != large {
				t.Errorf("%d bytes were read, and not those that were sent", len(got))
			}
		}
	}
	overPipe(t, options(), serve, func(f *fake) { f.send(head+lengthOf(large), large) })
}

func TestRequestBody_GivesItsTrailerToForks(t *testing.T) {
	serve := func(f *fake, x *exchange.Exchange) {
		go f.letNext()
		if whole, err := x.Request.Body.Load(); !whole || err != nil {
			t.Errorf("Load returns %t, %v", whole, err)
		}
		for _, b := range []exchange.RequestBody{x.Request.Body, x.Request.Body.Fork(), x.Request.Body.Fork().Fork()} {
			readAll(t, b)
			if sum, _ := b.Trailer().Lookup("x-sum"); string(sum) != "7" {
				t.Errorf("the trailer field reads %q, want 7", sum)
			}
		}
	}
	overPipe(t, options(), serve, func(f *fake) { f.send(arrivals[2].parts(hundred)...) })
}

func TestRequestBody_LeavesTheConnectionFitForAnotherOnceItIsLoaded(t *testing.T) {
	for _, a := range arrivals {
		serve := func(f *fake, x *exchange.Exchange) {
			if !a.withHead {
				go f.letNext()
			}
			if whole, err := x.Request.Body.Load(); !whole || err != nil {
				t.Errorf("%s: Load returns %t, %v", a.how, whole, err)
			}
		}
		overPipe(t, options(), serve, func(f *fake) {
			for i := range 3 {
				if status := f.send(a.parts(hundred)...); status != 204 {
					t.Errorf("request %d with content that comes %s was answered with %d", i, a.how, status)
				}
			}
		})
	}
}

func TestRequestBody_BoundsLoadingByItsTimeAndTheExchanges(t *testing.T) {
	for _, tc := range []struct {
		every, deadline, ends time.Duration
		code                  *exchange.Code
	}{
		{2 * time.Minute, 0, time.Minute, exchange.CodeBodyTimeout},
		{30 * time.Second, 5 * time.Minute, 5 * time.Minute, exchange.CodeRequestDeadline},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := options()
			o.Watchdog = new(conn.Watchdog)
			serve := func(_ *fake, x *exchange.Exchange) {
				if tc.deadline > 0 {
					x.Deadline = x.Start + tc.deadline
				}
				began := time.Now()
				whole, err := x.Request.Body.Load()
				if whole {
					t.Error("content that never ends was loaded whole")
				}
				wantFailure(t, err, tc.code)
				if took := time.Since(began); took < tc.ends || took > tc.ends+3*conn.Tick {
					t.Errorf("it was given up after %v, want %v", took, tc.ends)
				}
			}
			overPipe(t, o, serve, func(f *fake) {
				go func() {
					_, _ = f.Write([]byte(head + lengthOf(hundred)))
					for range hundred {
						time.Sleep(tc.every)
						if _, err := f.Write([]byte("x")); err != nil {
							return
						}
					}
				}()
				_ = f.send()
			})
			time.Sleep(3 * time.Minute)
		})
	}
}

func TestRequestBody_SaysWhatIsWrongWithContentThatIsLoaded(t *testing.T) {
	o := options()
	o.BodyBytes = 60
	for _, tc := range []struct {
		what   string
		second func(net.Conn)
		code   *exchange.Code
	}{
		{"it ends early", func(c net.Conn) { _ = c.Close() }, exchange.CodeMalformedBody},
		{"its chunks are broken", func(c net.Conn) { _, _ = c.Write([]byte("no chunk\r\n")) }, exchange.CodeMalformedBody},
		{"it is too large", func(c net.Conn) { _, _ = c.Write([]byte(chunk(hundred))) }, exchange.CodeContentTooLarge},
	} {
		t.Run(tc.what, func(t *testing.T) {
			serve := func(f *fake, x *exchange.Exchange) {
				f.letNext()
				whole, err := x.Request.Body.Load()
				if whole {
					t.Error("it was loaded whole")
				}
				wantFailure(t, err, tc.code)
				if _, again := x.Request.Body.Load(); again == nil {
					t.Error("a failure is forgotten")
				}
			}
			overPipe(t, o, serve, func(f *fake) {
				go func() {
					<-f.next
					tc.second(f.Conn)
				}()
				f.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(hundred[:50]))
			})
		})
	}
}
