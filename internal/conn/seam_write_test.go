package conn

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"testing"
)

// flood is more than the buffers of any socket here take.
const flood = 24 << 20

func TestConn_WritesMoreThanTheSocketTakes(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), flood/16)
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		c.SetWriteTimeout(patience)
		writing := start(func() error {
			n, err := c.Write(sent)
			if n != len(sent) && err == nil {
				t.Errorf("Write says %d of %d bytes and no error", n, len(sent))
			}
			return err
		})
		hash := sha256.New()
		if _, err := io.CopyN(hash, peer, flood); err != nil {
			t.Fatalf("the peer reads: %v", err)
		}
		if err := soon(t, "Write has returned", writing); err != nil {
			t.Errorf("Write: %v", err)
		}
		if want := sha256.Sum256(sent); !bytes.Equal(hash.Sum(nil), want[:]) {
			t.Error("the peer has read other bytes than were written")
		}
		if p := c.Watch().Phase(); p != PhaseIdle {
			t.Errorf("after a Write that waited the phase is %d, want the one before it", p)
		}
	})
}

func TestConn_GivesUpOnAPeerThatTakesNothing(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, _, _ := s.open(t)
		c.SetWriteTimeout(2 * Tick)
		writing := start(func() error {
			_, err := c.Write(make([]byte, flood))
			return err
		})
		if err := soon(t, "Write has given up", writing); err == nil {
			t.Error("writing to a peer that takes nothing succeeded")
		}
		if w := c.Watch(); w.Ended() != TimedOut || w.EndedPhase() != PhaseWrite {
			t.Errorf("the work was ended for reason %d in phase %d, want a time-out while writing", w.Ended(), w.EndedPhase())
		}
	})
}

// TestRaw_IsPatientWithASlowPeer: the bound is on taking nothing, not on taking
// long.
func TestRaw_IsPatientWithASlowPeer(t *testing.T) {
	for _, s := range wirings[:2] {
		t.Run(s.name, func(t *testing.T) {
			dog := handWound()
			c, peer, _ := s.openWatched(t, dog)
			c.SetWriteTimeout(10 * Tick)
			if tcp, ok := peer.(*net.TCPConn); ok {
				// Else the kernel may give a reader that is getting on all the room of a flood.
				if err := tcp.SetReadBuffer(256 << 10); err != nil {
					t.Fatal(err)
				}
			}
			writing := start(func() error {
				_, err := c.Write(make([]byte, flood))
				return err
			})
			eventually(t, "Write waits", func() bool { return c.Watch().Phase() == PhaseWrite })
			const part = flood / 12
			for range 4 { // the rest may be in the socket's buffers by then
				dog.pass(6)
				before := c.Watch().Mark()
				if _, err := io.CopyN(io.Discard, peer, part); err != nil {
					t.Fatalf("the peer reads: %v", err)
				}
				eventually(t, "Write goes on", func() bool { return c.Watch().Mark() != before })
			}
			go func() { _, _ = io.Copy(io.Discard, peer) }()
			if err := soon(t, "Write has returned", writing); err != nil {
				t.Errorf("writing to a peer that is slow: %v", err)
			}
		})
	}
}

func TestConn_CloseWriteLeavesTheOtherDirectionOpen(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		if err := c.CloseWrite(); err != nil {
			t.Fatalf("CloseWrite: %v", err)
		}
		if s.halfCloses {
			if n, err := peer.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("the peer reads %d bytes, %v; want the end", n, err)
			}
		}
		write(t, peer, "still here")
		room := make([]byte, 64)
		if n, err := c.Read(room); err != nil || string(room[:n]) != "still here" {
			t.Errorf("after CloseWrite Read returns %q, %v", room[:n], err)
		}
	})
}

// echo sends back what it reads, once it has a whole message of that length.
func echo(peer net.Conn, length int) <-chan error {
	return start(func() error {
		message := make([]byte, length)
		for {
			if _, err := io.ReadFull(peer, message); err != nil {
				return nil //nolint:nilerr // the test is over
			}
			if _, err := peer.Write(message); err != nil {
				return err
			}
		}
	})
}

// TestConn_WriteThenWaitFindsEveryAnswer: the answer may be there before the
// waiting begins.
func TestConn_WriteThenWaitFindsEveryAnswer(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		const length = 32
		echo(peer, length)
		message, answer := make([]byte, length), make([]byte, length)
		asking := start(func() error {
			for i := range 2000 {
				message[0] = byte(i)
				if n, err := c.WriteThenWait(message); n != length || err != nil {
					return errors.Join(errors.New("WriteThenWait failed"), err)
				}
				for got := 0; got < length; {
					n, err := c.Read(answer[got:])
					if err != nil {
						return err
					}
					got += n
				}
				if !bytes.Equal(message, answer) {
					return errors.New("the answer is another one's")
				}
			}
			return nil
		})
		if err := soon(t, "every answer has come", asking); err != nil {
			t.Error(err)
		}
	})
}

func TestConn_WriteThenWaitNoticesThatThePeerLeaves(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		go func() {
			_, _ = peer.Read(make([]byte, 64))
			_ = peer.Close()
		}()
		asking := start(func() error {
			if _, err := c.WriteThenWait([]byte("are you there?")); err != nil {
				return err
			}
			_, err := c.Read(make([]byte, 8))
			return err
		})
		if err := soon(t, "the end is noticed", asking); err == nil {
			t.Error("a peer that left without an answer was read from")
		}
	})
}

func TestConn_ReadsAndWritesAtTheSameTime(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		go func() { _, _ = io.Copy(peer, peer) }()
		const size = 2 << 20
		sent := bytes.Repeat([]byte("both ways "), size/10)
		writing := start(func() error {
			for p := sent; len(p) > 0; p = p[min(len(p), 50_000):] {
				if _, err := c.Write(p[:min(len(p), 50_000)]); err != nil {
					return err
				}
			}
			return nil
		})
		got := make([]byte, 0, len(sent)+1)
		reading := start(func() error {
			for len(got) < len(sent) {
				n, err := c.Read(got[len(got) : len(got)+1+min(30_000, len(sent)-len(got))])
				if err != nil {
					return err
				}
				got = got[:len(got)+n]
			}
			return nil
		})
		if err := soon(t, "everything was written", writing); err != nil {
			t.Errorf("writing: %v", err)
		}
		if err := soon(t, "everything was read", reading); err != nil {
			t.Errorf("reading: %v", err)
		}
		if !bytes.Equal(got, sent) {
			t.Error("what came back is not what was sent")
		}
	})
}

func TestConn_AliveTellsWhetherThePeerHasLeft(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		if !c.Alive() {
			t.Error("a connection whose peer is there and quiet is not alive")
		}
		if descriptor(c.NetConn()) < 0 {
			return // a pipe cannot be asked
		}
		_ = peer.Close()
		eventually(t, "the peer's leaving is seen", func() bool { return !c.Alive() })
	})
}

func TestRaw_IsNotAliveWithUnsolicitedBytes(t *testing.T) {
	for _, s := range wirings[:2] {
		c, peer, _ := s.open(t)
		write(t, peer, "HTTP/1.1 408 Request Timeout\r\n\r\n")
		eventually(t, s.name+": bytes that nobody asked for are seen", func() bool { return !c.Alive() })
	}
}
