package conn

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serving is a client's connection whose request is being served, on a watchdog
// whose clock the test moves.
func serving(t *testing.T, s wiring) (c Conn, peer net.Conn, dog *Watchdog) {
	t.Helper()
	dog = handWound()
	c, peer, _ = s.openWatched(t, dog)
	c.Watch().Begin(PhaseServe, 0)
	return c, peer, dog
}

// look makes the watchdog sweep often enough to poll.
func (d *Watchdog) look() {
	for range 8 {
		d.pass(1)
	}
}

// take reads what has arrived, so that it is only the end that is left.
func take(t *testing.T, c Conn) {
	t.Helper()
	if _, err := c.Read(make([]byte, 64)); err != nil {
		t.Fatalf("Read: %v", err)
	}
}

func TestWatchdog_NoticesAClientThatResets(t *testing.T) {
	c, peer, dog := serving(t, wirings[0])
	_ = peer.(*net.TCPConn).SetLinger(0)
	_ = peer.Close()
	eventually(t, "a client that resets is gone", func() bool {
		dog.look()
		return c.Watch().Gone().Load()
	})
}

func TestWatchdog_NoticesAClientThatClosesLater(t *testing.T) {
	c, peer, dog := serving(t, wirings[0])
	write(t, peer, "request")
	take(t, c)
	time.Sleep(60 * time.Millisecond) // longer than together is; the kernel has its own clock
	dog.look()
	if c.Watch().Gone().Load() {
		t.Fatal("a client that waits is gone")
	}
	_ = peer.Close()
	eventually(t, "a client that closes is gone", func() bool {
		dog.look()
		return c.Watch().Gone().Load()
	})
}

func TestWatchdog_NoticesAClientThatClosesBeforeTheFirstLook(t *testing.T) {
	c, peer, dog := serving(t, wirings[0])
	write(t, peer, "request")
	take(t, c)
	time.Sleep(60 * time.Millisecond)
	_ = peer.Close()
	eventually(t, "a client that closes is gone", func() bool {
		dog.look()
		return c.Watch().Gone().Load()
	})
}

// TestWatchdog_ServesAClientThatHalfCloses: the end comes in one packet with the
// request, as it does from "printf … | nc -N".
func TestWatchdog_ServesAClientThatHalfCloses(t *testing.T) {
	c, peer, dog := serving(t, wirings[0])
	raw, err := peer.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1)
	}), err); err != nil {
		t.Fatal(err)
	}
	<-write(t, peer, "request")
	_ = peer.(*net.TCPConn).CloseWrite()
	take(t, c)
	eventually(t, "the end is seen", func() bool { return hungUp(descriptor(c.NetConn())) })
	for range 10 {
		dog.look()
	}
	if c.Watch().Gone().Load() || c.Watch().Ended() != NotEnded {
		t.Error("a client that has closed its half behind its request is taken for one that has left")
	}
}

func TestWatchdog_TellsHalfClosesFromDeparturesOnUnixSockets(t *testing.T) {
	c, peer, dog := serving(t, wirings[1])
	write(t, peer, "request")
	take(t, c)
	_ = peer.(*net.UnixConn).CloseWrite()
	dog.look()
	if c.Watch().Gone().Load() {
		t.Error("a half-close on a Unix socket is taken for a departure")
	}

	c, peer, dog = serving(t, wirings[1])
	_ = peer.Close()
	eventually(t, "a client that closes is gone", func() bool {
		dog.look()
		return c.Watch().Gone().Load()
	})
}

func TestWatchdog_EndsAnIdleConnectionWhosePeerHasLeft(t *testing.T) {
	for _, s := range wirings[:2] {
		dog := handWound()
		c, peer, o := s.openWatched(t, dog)
		_ = peer.Close()
		eventually(t, "the end has arrived", func() bool { return hungUp(descriptor(c.NetConn())) })
		dog.look()
		if c.Watch().Ended() != ClientGone || len(o.ended) != 1 {
			t.Errorf("%s: an idle connection whose peer has left goes on (%d)", s.name, c.Watch().Ended())
		}
	}
}

// TestWatchdog_SparesALastRequestThatWaitsToBeRead: the goroutine of a client's
// connection may not have come to it yet.
func TestWatchdog_SparesALastRequestThatWaitsToBeRead(t *testing.T) {
	for _, s := range wirings[:2] {
		dog := handWound()
		c, peer, _ := s.openWatched(t, dog)
		<-write(t, peer, "request")
		_ = peer.(interface{ CloseWrite() error }).CloseWrite()
		eventually(t, "the end has arrived", func() bool { return hungUp(descriptor(c.NetConn())) })
		dog.look()
		if c.Watch().Ended() != NotEnded {
			t.Errorf("%s: a connection with an unread request was ended as idle", s.name)
		}
	}
}

// TestWatchdog_EndsAnIdleEndpointThatTalks: what an endpoint says between
// messages, before it closes, is nobody's answer.
func TestWatchdog_EndsAnIdleEndpointThatTalks(t *testing.T) {
	dog := handWound()
	c, peer, _ := wirings[0].openWatched(t, dog)
	c.Watch().For(new(atomic.Bool))
	<-write(t, peer, "HTTP/1.1 408 Request Timeout\r\n\r\n")
	_ = peer.Close()
	eventually(t, "the end has arrived", func() bool { return hungUp(descriptor(c.NetConn())) })
	dog.look()
	if c.Watch().Ended() != ClientGone {
		t.Error("a kept connection to an endpoint that has closed it goes on, because bytes came before the end")
	}
}
