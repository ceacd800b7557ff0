package http2

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestConn_TakesNoRequestsWhileAPeerThatOwesAnswersIsFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int64
		c, p := connect(t, Options{Changed: func() { changes.Add(1) }}, settingMaxStreams, 7)
		b := start(c, newExchange("GET", "/"))
		id, _, _ := p.request()
		at := time.Now()
		for c.Capacity() > 0 && time.Since(at) < time.Minute {
			time.Sleep(tick)
		}
		if took := time.Since(at); took < quietFor+doubtAfter || took > quietFor+doubtAfter+4*tick || !doubts(c) || changes.Load() != 1 {
			t.Errorf("a frozen peer is given requests for %v (%d changes), want %v", took, changes.Load(), quietFor+doubtAfter)
		}
		p.frame(framePing, flagAck, 0, make([]byte, 8)) // it thaws
		synctest.Wait()
		if c.Capacity() != 7 || doubts(c) || changes.Load() != 2 {
			t.Errorf("a peer that gives a sign again has capacity %d (%d changes), want 7", c.Capacity(), changes.Load())
		}
		p.head(id, true, ":status", "204")
		b.answered(t)
	})
}

func TestConn_TrustsAPeerThatIsSlowButThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int64
		c, p := connect(t, Options{Changed: func() { changes.Add(1) }}, settingMaxStreams, 7)
		b := start(c, newExchange("GET", "/"))
		id, _, _ := p.request()
		pings := 0
		for at := time.Now(); time.Since(at) < 9*time.Second; pings++ {
			p.await(framePing)
			p.frame(framePing, flagAck, 0, make([]byte, 8))
		}
		if c.Capacity() != 7 || changes.Load() > 0 || pings > 10 {
			t.Errorf("after %d PINGs and their answers the capacity is %d (%d changes), want 7", pings, c.Capacity(), changes.Load())
		}
		p.head(id, true, ":status", "204")
		b.answered(t)
	})
}

func TestConn_DoesNotDoubtAPeerThatOwesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := connect(t, Options{MissedPings: 100}, settingMaxStreams, 7)
		time.Sleep(time.Minute)
		if c.Capacity() != 7 {
			t.Errorf("a peer without requests has capacity %d after a minute of silence, want 7", c.Capacity())
		}
	})
}

func doubts(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alive.doubted
}
