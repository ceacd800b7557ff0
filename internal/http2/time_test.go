package http2

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// within checks a time that is exact to a tick, on a clock that is the test's own.
func within(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	if took < want || took > want+2*tick {
		t.Errorf("%s took %v, want %v and a tick", what, took, want)
	}
}

func TestRoundTrip_EndsInTime(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(x *exchange.Exchange)
		code *exchange.Code
		want time.Duration
	}{
		"response time-out": {func(*exchange.Exchange) {}, exchange.CodeResponseTimeout, 10 * time.Second},
		"the request's deadline": {
			func(x *exchange.Exchange) { x.Deadline = exchange.Now() + time.Second },
			exchange.CodeRequestDeadline, time.Second,
		},
		"the try's deadline": {
			func(x *exchange.Exchange) { x.TryDeadline = exchange.Now() + time.Second },
			exchange.CodeResponseTimeout, time.Second,
		},
		"a client that leaves": {
			func(x *exchange.Exchange) { time.AfterFunc(time.Second, func() { x.Gone.Store(true) }) },
			exchange.CodeClientGone, time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := connect(t, Options{Response: 10 * time.Second, Ping: time.Hour})
				x := newExchange("GET", "/")
				tc.set(x)
				at := time.Now()
				b := start(c, x)
				b.fails(t, tc.code, true)
				within(t, "the failure", time.Since(at), tc.want)
				if code := errorCode(number(p.await(frameReset).payload)); code != errCancel {
					t.Errorf("the peer is told %#x, want CANCEL", code)
				}
			})
		})
	}
}

func TestRoundTrip_TimesAnAnswerFromTheEndOfTheContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := connect(t, Options{Response: 10 * time.Second, Ping: time.Hour})
		body := newContent("x")
		body.later = make(chan string)
		time.AfterFunc(time.Minute, func() { close(body.later) })
		at := time.Now()
		start(c, with(newExchange("PUT", "/"), body, exchange.LengthUnknown)).fails(t, exchange.CodeResponseTimeout, true)
		within(t, "the failure", time.Since(at), time.Minute+10*time.Second)
	})
}

func TestRoundTrip_EndsWhenThePeerTakesNoContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := connect(t, Options{Write: 5 * time.Second, Ping: time.Hour}, settingWindow, 0)
		at := time.Now()
		f := start(c, with(newExchange("PUT", "/"), newContent("x"), 1)).fails(t, exchange.CodeResponseTimeout, true)
		within(t, "the failure "+f.Detail, time.Since(at), 5*time.Second)
	})
}

func TestBody_EndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{Read: 3 * time.Second, Ping: time.Hour})
		b := start(c, newExchange("GET", "/"))
		id, _, _ := p.request()
		p.head(id, false, ":status", "200")
		resp := b.answered(t)
		at := time.Now()
		_, err := resp.Body.Next(true)
		if f := asFailure(err, exchange.CodeNoRoute); f.Code != exchange.CodeResponseIncomplete {
			t.Errorf("content that stops fails with %v", err)
		}
		within(t, "the failure", time.Since(at), 3*time.Second)
	})
}

func TestStream_StopsFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{})
		b := start(c, newExchange("GET", "/"))
		p.request()
		b.s.Stop()
		b.fails(t, exchange.CodeCancelled, true)
		p.await(frameReset)
		b = start(c, newExchange("GET", "/"))
		id, _, _ := p.request()
		p.head(id, false, ":status", "200")
		resp := b.answered(t)
		go b.s.Stop()
		if _, err := resp.Body.Next(true); asFailure(err, exchange.CodeNoRoute).Code != exchange.CodeCancelled {
			t.Errorf("reading a stopped response fails with %v, want cancelled", err)
		}
		var s Stream
		s.Stop()
		if f := c.RoundTrip(newExchange("GET", "/"), &s); f == nil || f.Code != exchange.CodeCancelled || f.Sent {
			t.Errorf("a round trip that was stopped before fails with %v, want cancelled and not sent", f)
		}
	})
}

func TestStream_StopsItsUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{}, settingWindow, 5)
		body := newContent("123")
		body.later = make(chan string)
		b := start(c, with(newExchange("PUT", "/"), body, exchange.LengthUnknown))
		id, _, _ := p.request()
		body.later <- "more than the window"
		p.head(id, false, ":status", "503")
		resp := b.answered(t)
		if !b.s.StopUpload(b.x) {
			t.Error("the upload cannot be stopped while it waits for a window")
		}
		p.data(id, true, "text")
		if text, err := readAll(resp.Body); text != "text" || err != nil {
			t.Errorf("the response is %q (%v) after its upload was stopped, want all of it", text, err)
		}
		b.s.Close(b.x)
		p.await(frameReset)
	})
}

func TestConn_EndsWhenThePeerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		c, _ := connect(t, Options{})
		<-c.Closed()
		if !errors.Is(c.Err(), ErrSilent) {
			t.Errorf("the connection ends with %v, want that the peer is silent", c.Err())
		}
		within(t, "the end", time.Since(at), 30*time.Second)
	})
}

func TestConn_LivesWhileThePeerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{})
		for range 10 {
			p.frame(framePing, flagAck, 0, p.await(framePing).payload)
		}
		if c.Err() != nil {
			t.Errorf("the connection ends with %v although every PING was answered", c.Err())
		}
	})
}

func TestConn_EndsWhenThePeerReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = io.ReadFull(theirs, make([]byte, len(preface)))
			_, _ = theirs.Write(appendFrame(nil, frameSettings, 0, 0, nil))
		}()
		at := time.Now()
		c, err := NewConn(ours, Options{Write: 5 * time.Second, Response: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		start(c, newExchange("GET", "/")).fails(t, exchange.CodeEndpointClosed, false)
		within(t, "the end", time.Since(at), 5*time.Second)
		if <-c.Closed(); !errors.Is(c.Err(), ErrStuck) {
			t.Errorf("the connection ends with %v, want that the peer takes nothing", c.Err())
		}
		_ = theirs.Close()
	})
}

func TestNewConn_WaitsForSettingsNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		newPeer(t, theirs)
		at := time.Now()
		if _, err := NewConn(ours, Options{}); !errors.Is(err, ErrSilent) {
			t.Errorf("a peer that says nothing gives %v", err)
		}
		within(t, "the handshake", time.Since(at), 10*time.Second)
		_ = theirs.Close()
	})
}

func TestNewConn_WantsSettingsFirst(t *testing.T) {
	ours, theirs := net.Pipe()
	p := newPeer(t, theirs)
	go p.write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	if _, err := NewConn(ours, Options{}); err == nil {
		t.Error("a peer that does not speak HTTP/2 is taken for one that does")
	}
	_ = theirs.Close()
}

func TestRoundTrip_CountsWhatStillMayLeaveAsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = io.ReadFull(theirs, make([]byte, len(preface)))
			_, _ = theirs.Write(appendFrame(nil, frameSettings, 0, 0, nil))
		}()
		c, err := NewConn(ours, Options{Response: time.Second, Write: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		start(c, newExchange("POST", "/")).fails(t, exchange.CodeResponseTimeout, true)
		p := &peer{t: t, nc: theirs, frames: make(chan frame, 100)}
		go p.readFrames() // now the peer reads on
		if f := p.await(frameHeaders); f.stream != 1 {
			t.Errorf("stream %d arrives, want the first request's", f.stream)
		}
		finish(c, p)
	})
}

func TestBody_EndsWithTheRequestHoweverMuchComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{Read: time.Minute})
		x := newExchange("GET", "/")
		at := time.Now()
		x.Deadline = exchange.Now() + 10*time.Second
		b := start(c, x)
		id, _, _ := p.request()
		p.head(id, false, ":status", "200")
		resp := b.answered(t)
		var writing sync.WaitGroup
		writing.Go(func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for range pace.C {
				if _, err := p.nc.Write(appendFrame(nil, frameData, 0, id, []byte("more"))); err != nil {
					return
				}
			}
		})
		_, err := readAll(resp.Body)
		if asFailure(err, exchange.CodeNoRoute).Code != exchange.CodeRequestDeadline {
			t.Errorf("the content ends with %v, want the request's deadline", err)
		}
		within(t, "the content", time.Since(at), 10*time.Second)
		b.s.Close(x)
		finish(c, p)
		writing.Wait()
	})
}
