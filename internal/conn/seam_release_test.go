package conn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func TestConn_IsAnOrdinaryConnectionOnceItIsReleased(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		serveOne(t, c, peer)
		c.AbortRead() // a deadline that is not taken back
		if err := c.Release(); err != nil {
			t.Fatalf("Release: %v", err)
		}
		nc := c.NetConn()
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // more than any socket takes at once
		echoed := start(func() error {
			_, err := io.CopyN(nc, nc, int64(len(large)))
			return err
		})
		sent := start(func() error {
			_, err := peer.Write(large)
			return err
		})
		back := make([]byte, len(large))
		if _, err := io.ReadFull(peer, back); err != nil || !bytes.Equal(back, large) {
			t.Errorf("what was written did not come back (%v)", err)
		}
		for _, err := range []error{soon(t, "the peer has written", sent), soon(t, "all is echoed", echoed)} {
			if err != nil {
				t.Error(err)
			}
		}
		_ = nc.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := nc.Read(back); err == nil {
			t.Error("a deadline of whoever has the connection now is not met")
		}
		_ = nc.Close()
	})
}

// serveOne has c's loop read a message that the peer sends.
func serveOne(t *testing.T, c Conn, peer net.Conn) {
	t.Helper()
	const message = "request"
	sent := write(t, peer, message)
	room, n := make([]byte, 64), 0
	err := c.Loop(func() bool {
		k, err := c.TryRead(room[n:])
		n += k
		return n == len(message) || err != nil && !errors.Is(err, ErrWouldBlock)
	})
	if err != nil || string(room[:n]) != message {
		t.Fatalf("of the message %q was read (%v)", room[:n], err)
	}
	if err := soon(t, "the message is sent", sent); err != nil {
		t.Fatal(err)
	}
}

func TestConn_IsNotWatchedOnceItIsReleased(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		d := handWound()
		c, peer, o := s.openWatched(t, d)
		c.Watch().Begin(PhaseServe, Tick)
		if err := c.Release(); err != nil {
			t.Fatalf("Release: %v", err)
		}
		next, _ := register(d) // which gets the same watch
		next.Begin(PhaseServe, 0)
		d.running = true
		d.pass(100)
		if len(o.ended) > 0 {
			t.Error("the owner was told of the end of a phase after Release")
		}
		if err := c.Close(); err != nil || next.Phase() != PhaseServe {
			t.Errorf("Close after Release returns %v, and has taken the watch from whoever has it now: %v", err, next.Phase() != PhaseServe)
		}
		done := start(func() error {
			_, err := c.NetConn().Write([]byte("x"))
			return err
		})
		if _, err := io.ReadFull(peer, make([]byte, 1)); err != nil {
			t.Errorf("the connection cannot be written after Release and Close: %v", err)
		}
		if err := soon(t, "the byte is written", done); err != nil {
			t.Error(err)
		}
		_ = c.NetConn().Close()
	})
}

func TestConn_IsNotReleasedOnceItsWorkHasBeenEnded(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		d := handWound()
		c, _, _ := s.openWatched(t, d)
		c.Watch().Begin(PhaseServe, Tick)
		d.pass(10)
		if err := c.Release(); !errors.Is(err, ErrEnded) {
			t.Errorf("Release returns %v, although a deadline is set, or about to be", err)
		}
	})
}

func TestStream_IsNotReleasedWithBytesThatNobodyHasRead(t *testing.T) {
	for _, s := range wirings[2:] {
		t.Run(s.name, func(t *testing.T) {
			c, peer, _ := s.open(t)
			sent := start(func() error {
				_, err := peer.Write([]byte("x"))
				return err
			})
			steps := 0
			err := c.Loop(func() bool {
				steps++
				return steps == 2 // the byte has been waited for, and not read
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := soon(t, "the byte is sent", sent); err != nil {
				t.Fatal(err)
			}
			if err := c.Release(); !errors.Is(err, ErrUnread) {
				t.Errorf("Release returns %v, although a byte would be lost", err)
			}
			if c.Alive() {
				t.Error("a connection with a byte that nobody has read passes for silent")
			}
		})
	}
}
