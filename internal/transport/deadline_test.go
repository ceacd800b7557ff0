package transport

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// within gives x a second for the present try.
func within(x *exchange.Exchange) *exchange.Exchange {
	x.TryDeadline = exchange.Now() + time.Second
	return x
}

// wantLate fails the test unless f is of that code and came a second after began.
func wantLate(t *testing.T, f *exchange.Failure, code *exchange.Code, began time.Time) {
	t.Helper()
	wantFailure(t, f, code)
	if code != exchange.CodeRequestDeadline && f.Detail != perTry {
		t.Errorf("the detail is %q, want %q", f.Detail, perTry)
	}
	if took := time.Since(began); took < time.Second || took > time.Second+3*conn.Tick {
		t.Errorf("it took %v, want a second and at most three ticks", took)
	}
}

func TestHTTP1_BoundsATryUpToItsResponsesHead(t *testing.T) {
	for what, tc := range map[string]struct {
		content func() *pieces
		serve   func(*fakeConn)
	}{
		"the wait for an answer": {nil, func(c *fakeConn) { c.gone() }},
		"a head that dribbles in": {nil, func(c *fakeConn) {
			readHead(c)
			for more := c.say("HTTP/1.1 200 OK\r\nX: "); more; more = c.say("x") {
				time.Sleep(100 * time.Millisecond)
			}
		}},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, options(), tc.serve, func(t *testing.T, _ *fake, tr *HTTP1) {
				for _, code := range []*exchange.Code{exchange.CodeResponseTimeout, exchange.CodeRequestDeadline} {
					x := newExchange("PUT")
					if tc.content != nil {
						with(x, tc.content())
					}
					within(x).Deadline = x.TryDeadline + time.Second
					if code == exchange.CodeRequestDeadline { // which counts when both pass
						x.Deadline = x.TryDeadline
					}
					began := time.Now()
					wantLate(t, tr.RoundTrip(x, new(Call)), code, began)
				}
			})
		})
	}
}

// TestHTTP1_CountsNotWhatTheClientTakes: a try's time stands still while content is
// sent that comes as it comes from the client.
func TestHTTP1_CountsNotWhatTheClientTakes(t *testing.T) {
	slow := func() *pieces {
		p := newPieces("a", "b", "c", "d")
		p.every = time.Second
		return p
	}
	inBubble(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		x, c := within(with(newExchange("PUT"), slow())), new(Call)
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatalf("content that took three seconds, with a second for the try: %v", f)
		}
		readAll(t, c)
		c.Close(x)
	})
	inBubble(t, options(), func(c *fakeConn) { c.gone() }, func(t *testing.T, _ *fake, tr *HTTP1) {
		began, x := time.Now(), within(with(newExchange("PUT"), slow()))
		f := tr.RoundTrip(x, new(Call))
		wantFailure(t, f, exchange.CodeResponseTimeout)
		if took := time.Since(began); took < 4*time.Second || took > 4*time.Second+3*conn.Tick {
			t.Errorf("after three seconds of content the try ended at %v, want a second later", took)
		}
	})
}

func TestHTTP1_BoundsTheDialOfATry(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		tr.options().Dialer.Connect = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		began, x := time.Now(), within(newExchange("GET"))
		wantLate(t, tr.RoundTrip(x, new(Call)), exchange.CodeConnectTimeout, began)
		began, x = time.Now(), within(newExchange("GET"))
		x.Deadline = x.TryDeadline
		wantLate(t, tr.RoundTrip(x, new(Call)), exchange.CodeRequestDeadline, began)
	})
}

func TestHTTP1_BeginsNoTryThatIsOver(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, f *fake, tr *HTTP1) {
		x := newExchange("GET")
		x.TryDeadline = exchange.Now()
		wantFailure(t, tr.RoundTrip(x, new(Call)), exchange.CodeConnectTimeout)
		get(t, tr, "GET")
		failure := tr.RoundTrip(x, new(Call))
		wantFailure(t, failure, exchange.CodeResponseTimeout)
		if failure.Sent || failure.Detail != perTry {
			t.Errorf("it failed with %v, sent %t; want nothing to be sent", failure, failure.Sent)
		}
		if n := f.dials.Load(); n != 1 {
			t.Errorf("there were %d connections, want the one of the request that had time", n)
		}
	})
}

// TestHTTP1_DoesNotBoundWhatFollowsTheHeadByTheTry: content comes slowly, both ways.
func TestHTTP1_DoesNotBoundWhatFollowsTheHeadByTheTry(t *testing.T) {
	uploaded := ""
	serve := func(c *fakeConn) {
		readHead(c)
		_ = c.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		line, _ := c.ReadString('e') // what is at the end
		uploaded = line
		_ = c.say("half")
		time.Sleep(3 * time.Second)
		_ = c.say("half")
		c.gone()
	}
	inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
		p := newPieces("a", "b", "c", "e")
		p.every = 2 * time.Second
		x, c := within(with(newExchange("PUT"), p)), new(Call)
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatal(f)
		}
		if got := readAll(t, c); got != "halfhalf" {
			t.Errorf("the content is %q", got)
		}
		c.Close(x)
		if want := "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\ne"; uploaded != want {
			t.Errorf("the endpoint has got %q, want %q", uploaded, want)
		}
	})
}

// TestHTTP1_CountsTheTimeToAnswerFromTheEndOfTheContent: a client may send slowly.
func TestHTTP1_CountsTheTimeToAnswerFromTheEndOfTheContent(t *testing.T) {
	serve := func(c *fakeConn) {
		c.request()
		time.Sleep(50 * time.Second)
		c.answer()
		c.gone()
	}
	inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
		p := newPieces("a", "b", "c", "d")
		p.every = 50 * time.Second // and a minute to answer
		x, c := with(newExchange("PUT"), p), new(Call)
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatalf("a request whose content came slowly failed: %v", f)
		}
		readAll(t, c)
		c.Close(x)
	})
}

// steady answers with content that keeps coming, a byte at a time.
func steady(c *fakeConn) {
	readHead(c)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
	for {
		time.Sleep(10 * time.Millisecond)
		if _, err := io.WriteString(c, "x"); err != nil {
			return
		}
	}
}

// TestHTTP1_BoundsContentThatKeepsComing: each piece comes in time, and all of them
// too late.
func TestHTTP1_BoundsContentThatKeepsComing(t *testing.T) {
	inBubble(t, options(), steady, func(t *testing.T, _ *fake, tr *HTTP1) {
		x, c := newExchange("GET"), new(Call)
		began := time.Now()
		x.Deadline = exchange.Now() + time.Second
		if f := tr.RoundTrip(x, c); f != nil {
			t.Fatal(f)
		}
		var err error
		for err == nil {
			_, err = c.Response.Body.Next(true)
		}
		if took := time.Since(began); took > time.Second+3*conn.Tick {
			t.Errorf("the content was read for %v (%v), want a second and at most three ticks", took, err)
		}
		c.Close(x)
	})
}

// TestHTTP1_BoundsContentThatTheKernelMoves is the same over sockets. It does not
// end unless it is bounded.
func TestHTTP1_BoundsContentThatTheKernelMoves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client := conn.New(nc, new(conn.Watchdog), nobody{})
	defer client.Close()
	tr := newFake(steady).overTCP(t, options())
	x, c := newExchange("GET"), new(Call)
	x.Deadline = exchange.Now() + 300*time.Millisecond
	if f := tr.RoundTrip(x, c); f != nil {
		t.Fatal(f)
	}
	for data, err := c.Response.Body.Next(false); data != nil && err == nil; {
		data, err = c.Response.Body.Next(false)
	}
	moved, handled, err := c.body.SpliceTo(client, conn.SpliceLimits{Write: time.Minute})
	if !handled || err == nil {
		t.Errorf("%d bytes were moved (handled: %v) without an error", moved, handled)
	}
	c.Close(x)
}

// nobody owns a connection that nothing happens to.
type nobody struct{}

func (nobody) Expire(conn.Phase) {}
