package conn

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// write writes from the peer's side, on a goroutine of its own: over a pipe it
// waits for the reader.
func write(t *testing.T, peer net.Conn, text string) <-chan error {
	t.Helper()
	return start(func() error {
		_, err := peer.Write([]byte(text))
		return err
	})
}

func TestConn_LoopStepsAtOnceAndWhenSomethingArrives(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		var got []byte
		steps := 0
		err := c.Loop(func() bool {
			steps++
			var room [64]byte
			n, err := c.TryRead(room[:])
			if steps == 1 {
				if !errors.Is(err, ErrWouldBlock) {
					t.Errorf("TryRead on a quiet connection returns %d, %v", n, err)
				}
				write(t, peer, "hello")
				return false
			}
			got = append(got, room[:n]...)
			return len(got) >= 5
		})
		if err != nil || string(got) != "hello" {
			t.Errorf("the loop read %q and ended with %v, want hello", got, err)
		}
	})
}

// TestConn_LoopMissesNothing has a peer write whole messages in pieces of any
// size, single bytes among them, while steps read and return.
func TestConn_LoopMissesNothing(t *testing.T) {
	sent := make([]byte, 256<<10)
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		writing := start(func() error { return writeInPieces(peer, sent) })
		var got []byte
		room := make([]byte, 4096)
		reading := start(func() error {
			return c.Loop(func() bool {
				for {
					n, err := c.TryRead(room)
					got = append(got, room[:n]...)
					// The server says so too when it waits for the rest of a head.
					c.Watch().Begin(PhaseHead, 0)
					if err != nil && !errors.Is(err, ErrWouldBlock) {
						t.Errorf("TryRead: %v", err)
						return true
					}
					if len(got) >= len(sent) {
						return true
					}
					if n < len(room) {
						return false
					}
				}
			})
		})
		if err := soon(t, "the loop has read everything", reading); err != nil {
			t.Fatalf("the loop ended with %v", err)
		}
		if err := <-writing; err != nil {
			t.Fatalf("the peer's writing: %v", err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("the loop read %d bytes that are not the %d sent", len(got), len(sent))
		}
	})
}

// TestConn_LoopTakesALastByteThatComesAlone: the end of a head may be all that is
// in a packet or a TLS record.
func TestConn_LoopTakesALastByteThatComesAlone(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		var got []byte
		arrived := make(chan int, 16)
		looping := start(func() error {
			return c.Loop(func() bool {
				var room [64]byte
				n, _ := c.TryRead(room[:])
				got = append(got, room[:n]...)
				if len(got) > 0 {
					c.Watch().Begin(PhaseHead, 0)
				}
				arrived <- len(got)
				return string(got) == "GET /\r\n\r\n"
			})
		})
		sent := 0
		for _, piece := range []string{"GET /", "\r", "\n", "\r", "\n"} {
			write(t, peer, piece)
			sent += len(piece)
			for soon(t, "a piece has arrived", arrived) < sent {
			}
		}
		if err := soon(t, "the loop has ended", looping); err != nil {
			t.Errorf("the loop ended with %v", err)
		}
	})
}

func writeInPieces(w io.Writer, p []byte) error {
	for len(p) > 0 {
		n := min(len(p), 1+rand.N(700)*rand.N(2))
		if len(p) < 64 {
			n = 1 // a message may end with a byte that comes alone
		}
		if _, err := w.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func TestConn_LoopEndsWhenThePeerCloses(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		var last error
		looping := start(func() error {
			return c.Loop(func() bool {
				var room [64]byte
				_, last = c.TryRead(room[:])
				return last != nil && !errors.Is(last, ErrWouldBlock)
			})
		})
		_ = peer.Close()
		if err := soon(t, "the loop has ended", looping); err == nil && !errors.Is(last, io.EOF) {
			t.Errorf("the loop ended with its last TryRead saying %v, want the end of the stream", last)
		}
	})
}

// TestConn_NoticesAnEndThatArrivesWithData: a step that takes all the data does
// not look for more, and no readiness edge follows.
func TestConn_NoticesAnEndThatArrivesWithData(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		peerDone := start(func() error {
			_, err := peer.Write([]byte("last words"))
			_ = peer.Close()
			return err
		})
		if s.raw {
			<-peerDone // both are there before anything is read
		}
		var got []byte
		looping := start(func() error {
			return c.Loop(func() bool {
				var room [64]byte
				n, err := c.TryRead(room[:])
				got = append(got, room[:n]...)
				return err != nil && !errors.Is(err, ErrWouldBlock)
			})
		})
		_ = soon(t, "the loop has ended", looping)
		if string(got) != "last words" {
			t.Errorf("the loop read %q, want everything that came before the end", got)
		}
	})
}

func TestConn_ReadWaitsAndTellsTheEnd(t *testing.T) {
	overEveryWiring(t, func(t *testing.T, s wiring) {
		c, peer, _ := s.open(t)
		for _, text := range []string{"one", "two"} {
			write(t, peer, text)
			room := make([]byte, 64)
			if n, err := c.Read(room); err != nil || string(room[:n]) != text {
				t.Fatalf("Read returns %q, %v; want %q", room[:n], err, text)
			}
		}
		_ = peer.Close()
		if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("Read behind the end returns %d, %v; want io.EOF", n, err)
		}
	})
}
