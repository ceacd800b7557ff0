package http2

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestConn_DrainsWhenThePeerTakesLeave(t *testing.T) {
	var changes atomic.Int32
	c, p := connect(t, Options{Changed: func() { changes.Add(1) }})
	b := start(c, newExchange("GET", "/"))
	id, _, _ := p.request()
	p.write(appendGoAway(nil, id, errNone, ""))
	p.frame(framePing, 0, 0, make([]byte, 8))
	p.await(framePing) // so GOAWAY was seen
	if !c.Draining() || c.Capacity() != 0 || changes.Load() == 0 {
		t.Errorf("after GOAWAY the connection drains: %t, with capacity %d, told %d times", c.Draining(), c.Capacity(), changes.Load())
	}
	start(c, newExchange("GET", "/")).fails(t, exchange.CodeEndpointClosed, false)
	p.head(id, true, ":status", "200")
	b.answered(t)
	if code := p.awaitEnd(); code != errNone {
		t.Errorf("the connection ends with %#x, want no error", code)
	}
	<-c.Closed()
}

func TestConn_ShutdownWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{})
		b := start(c, newExchange("GET", "/"))
		id, _, _ := p.request()
		done := make(chan error, 1)
		go func() { done <- c.Shutdown(t.Context()) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatal("Shutdown does not wait for the request")
		}
		p.head(id, true, ":status", "200")
		b.answered(t)
		if err := <-done; err != nil {
			t.Errorf("Shutdown returns %v, want nil", err)
		}
		<-c.Closed()
	})
}

func TestConn_ShutdownGivesUpWithItsContext(t *testing.T) {
	c, p := connect(t, Options{})
	b := start(c, newExchange("GET", "/"))
	p.request()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Shutdown(ctx); err != context.Canceled {
		t.Errorf("Shutdown returns %v, want that of its context", err)
	}
	b.fails(t, exchange.CodeEndpointClosed, true)
}

func TestConn_TellsOfChanges(t *testing.T) {
	told := make(chan struct{}, 16)
	c, p := connect(t, Options{Changed: func() { told <- struct{}{} }}, settingMaxStreams, 3)
	if len(told) > 0 {
		t.Error("a change was told of before anybody could know the connection")
	}
	p.settings(settingMaxStreams, 7)
	<-told
	if n := c.Capacity(); n != 7 {
		t.Errorf("when told, the capacity is %d, want 7", n)
	}
	c.Close()
	<-told
	if c.Err() == nil || c.Capacity() != 0 {
		t.Errorf("when told of the end, the error is %v and the capacity %d", c.Err(), c.Capacity())
	}
}

func TestConn_DrainsWhenItsStreamsAreUsedUp(t *testing.T) {
	c, p := connect(t, Options{})
	c.mu.Lock()
	c.nextID = maxStreamID
	c.mu.Unlock()
	b := start(c, newExchange("GET", "/"))
	id, _, _ := p.request()
	if id != maxStreamID || !c.Draining() {
		t.Errorf("the last request has stream %d and the connection drains: %t", id, c.Draining())
	}
	start(c, newExchange("GET", "/")).fails(t, exchange.CodeEndpointClosed, false)
	p.head(id, true, ":status", "200")
	b.answered(t)
	<-c.Closed()
}
