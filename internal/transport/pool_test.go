package transport

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// inBubble runs test in virtual time with a way to an endpoint that answers all,
// and lets everything rest in the end.
func inBubble(t *testing.T, o Options, serve func(*fakeConn), test func(t *testing.T, f *fake, tr *HTTP1)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Watchdog = new(conn.Watchdog)
		f := newFake(serve)
		tr := f.overPipes(o)
		test(t, f, tr)
		tr.Close()
		time.Sleep(2 * conn.Tick)
	})
}

// together makes n round trips that overlap, and ends them in order.
func together(t *testing.T, tr *HTTP1, n int) {
	t.Helper()
	calls, xs := make([]Call, n), make([]*exchange.Exchange, n)
	for i := range n {
		xs[i] = newExchange("GET")
		if f := tr.RoundTrip(xs[i], &calls[i]); f != nil {
			t.Fatal(f)
		}
	}
	for i := range n {
		readAll(t, &calls[i])
		calls[i].Close(xs[i])
	}
}

func TestHTTP1_UsesTheConnectionUsedLast(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		together(t, tr, 3)
		wantConnections(t, tr, 0, 3)
		for range 3 {
			if got := get(t, tr, "GET"); got != "3" {
				t.Errorf("the request went over connection %s, want the one used last", got)
			}
		}
	})
}

func TestHTTP1_KeepsNoMoreThanMaxIdle(t *testing.T) {
	o := options()
	o.MaxIdle = 2
	inBubble(t, o, answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		together(t, tr, 5)
		wantConnections(t, tr, 0, 2)
	})
}

func TestHTTP1_KeepsNoneWhenMaxIdleIsZero(t *testing.T) {
	o := options()
	o.MaxIdle = 0
	inBubble(t, o, answerAll, func(t *testing.T, f *fake, tr *HTTP1) {
		for i := range 3 {
			if got := get(t, tr, "GET"); got != fmt.Sprint(i+1) {
				t.Errorf("request %d went over connection %s", i+1, got)
			}
		}
		wantConnections(t, tr, 0, 0)
	})
}

func TestHTTP1_EndsConnectionsThatAreTooOld(t *testing.T) {
	o := options()
	o.MaxAge = time.Hour
	o.Idle = 24 * time.Hour
	inBubble(t, o, answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		get(t, tr, "GET")
		time.Sleep(time.Hour - time.Second)
		if got := get(t, tr, "GET"); got != "1" {
			t.Errorf("before its time the connection was left for %s", got)
		}
		wantConnections(t, tr, 0, 1)
		time.Sleep(2 * time.Second)
		get(t, tr, "GET")
		wantConnections(t, tr, 0, 0)
		if got := get(t, tr, "GET"); got != "2" {
			t.Errorf("after an hour the request went over connection %s, want a new one", got)
		}
	})
}

func TestHTTP1_ClosesWhatIsIdleForTooLong(t *testing.T) {
	closed := make(chan struct{}, 8)
	serve := func(c *fakeConn) {
		answerAll(c)
		closed <- struct{}{}
	}
	inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
		together(t, tr, 2)
		time.Sleep(time.Minute - time.Second)
		wantConnections(t, tr, 0, 2)
		get(t, tr, "GET") // keeps one of them
		time.Sleep(2 * time.Second)
		wantConnections(t, tr, 0, 1)
		time.Sleep(time.Minute)
		wantConnections(t, tr, 0, 0)
		synctest.Wait()
		if len(closed) != 2 {
			t.Errorf("the endpoint has seen %d connections close, want 2", len(closed))
		}
	})
}

func TestHTTP1_KeepsTheConnectionOfAProbe(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, f *fake, tr *HTTP1) {
		if err := tr.Probe(t.Context()); err != nil {
			t.Fatalf("Probe: %v", err)
		}
		wantConnections(t, tr, 0, 1)
		get(t, tr, "GET")
		if n := f.dials.Load(); n != 1 {
			t.Errorf("after a probe a request led to %d connections, want the probe's", n)
		}
	})
}

func TestHTTP1_ClosesItsIdleConnections(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		c, x := new(Call), newExchange("GET")
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatal(f)
		}
		get(t, tr, "GET")
		tr.Close()
		wantConnections(t, tr, 1, 0)
		readAll(t, c)
		c.Close(x)
		wantConnections(t, tr, 0, 0)
	})
}

// TestHTTP1_KeepsOnlyWhatCanCarryAnother: everything else is closed behind its
// response.
func TestHTTP1_KeepsOnlyWhatCanCarryAnother(t *testing.T) {
	for _, tc := range []struct {
		why, answer string
		unread      bool
		kept        int
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 1},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, 1},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", false, 1},
		{"an announced close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, 0},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 0},
		{"bytes behind the content", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok?", false, 0},
		{"content that nobody read", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, 0},
	} {
		serve := func(c *fakeConn) {
			for c.request() {
				_, _ = c.Write([]byte(tc.answer))
			}
		}
		inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
			c, x := new(Call), newExchange("GET")
			if f := tr.RoundTrip(x, c); f != nil {
				t.Fatalf("%s: %v", tc.why, f)
			}
			if !tc.unread {
				readAll(t, c)
			}
			c.Close(x)
			if _, idle := tr.Connections(); idle != tc.kept {
				t.Errorf("after a response with %s %d connections are kept, want %d", tc.why, idle, tc.kept)
			}
		})
	}
}

func TestHTTP1_BoundsTheWaitForAnAnswer(t *testing.T) {
	silent := func(c *fakeConn) {
		c.request()
		c.request() // until it is closed
	}
	inBubble(t, options(), silent, func(t *testing.T, _ *fake, tr *HTTP1) {
		began := time.Now()
		f := tr.RoundTrip(newExchange("GET"), new(Call))
		wantFailure(t, f, exchange.CodeResponseTimeout)
		if took := time.Since(began); took < time.Minute || took > time.Minute+2*conn.Tick {
			t.Errorf("it took %v to give up, want a minute and at most two ticks", took)
		}
		wantConnections(t, tr, 0, 0)

		x := newExchange("GET")
		x.Deadline = exchange.Now() + time.Second
		wantFailure(t, tr.RoundTrip(x, new(Call)), exchange.CodeRequestDeadline)

		x = newExchange("GET")
		go func() {
			time.Sleep(time.Second)
			x.Gone.Store(true)
		}()
		wantFailure(t, tr.RoundTrip(x, new(Call)), exchange.CodeClientGone)
	})
}

// TestHTTP1_KeepsNoConnectionToASilentEndpoint: what is kept was opened before the
// endpoint was cut off, and whoever used it would wait as long.
func TestHTTP1_KeepsNoConnectionToASilentEndpoint(t *testing.T) {
	var silent atomic.Bool
	serve := func(c *fakeConn) {
		for c.request() && !silent.Load() {
			c.answer()
		}
		_, _ = c.ReadByte() // until it is closed
	}
	inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
		together(t, tr, 3)
		wantConnections(t, tr, 0, 3)
		silent.Store(true)
		wantFailure(t, tr.RoundTrip(newExchange("GET"), new(Call)), exchange.CodeResponseTimeout)
		wantConnections(t, tr, 0, 0)
	})
}
