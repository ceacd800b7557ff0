package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

func atOnce(*fake, *exchange.Exchange) {}

// soonParked are options with which it takes a tick instead of a second.
func soonParked() Options {
	o := options()
	o.Watchdog.ParkAfter = conn.Tick
	return o
}

// parkedNow waits until the client's connection has no goroutine.
func (f *fake) parkedNow(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if n := runtime.Stack(stacks, true); !bytes.Contains(stacks[:n], []byte("(*client).serve(")) {
			return
		}
	}
	t.Fatal("an idle connection keeps its goroutine")
}

func TestParking_AConnectionGoesOn(t *testing.T) {
	overTCP(t, soonParked(), atOnce, func(f *fake) {
		for range 2 {
			if status := f.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n"); status != http.StatusNoContent {
				t.Fatalf("the answer is %d", status)
			}
			f.parkedNow(t)
		}
		if status := f.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n"); status != http.StatusNoContent {
			t.Errorf("after the connection was parked the answer is %d", status)
		}
		if open, _ := f.server.Connections(); open != 1 {
			t.Errorf("%d connections are open", open)
		}
	})
}

func TestParking_AConnectionThatSaidNothingYet(t *testing.T) {
	overTCP(t, soonParked(), atOnce, func(f *fake) {
		f.parkedNow(t)
		if status := f.send("GET / HTTP/1.1\r\nHost: app\r\n\r\n"); status != http.StatusNoContent {
			t.Errorf("the answer is %d", status)
		}
	})
}

func TestParking_IdleTimeoutGoesOn(t *testing.T) {
	o := soonParked()
	o.IdleTimeout = 2 * time.Second
	overTCP(t, o, atOnce, func(f *fake) {
		f.parkedNow(t)
		_ = f.Conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := f.Reader.ReadByte(); err != io.EOF {
			t.Errorf("a connection that was idle for too long ends with %v", err)
		}
	})
}

// TestParking_LosesNoRequest has clients pause for about as long as it takes to be
// parked, so that requests and parking meet.
func TestParking_LosesNoRequest(t *testing.T) {
	overTCP(t, soonParked(), atOnce, func(f *fake) {
		var clients sync.WaitGroup
		end := time.Now().Add(3 * time.Second)
		for i := range 16 {
			clients.Go(func() {
				c, err := net.Dial("tcp", f.Conn.RemoteAddr().String())
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				one := &fake{Conn: c, Reader: bufio.NewReader(c)}
				pause := time.Duration(80+8*i) * time.Millisecond
				for n := 0; time.Now().Before(end); n++ {
					_ = c.SetDeadline(time.Now().Add(20 * time.Second))
					if status := one.send([]string{
						"GET / HTTP/1.1\r\nHost: app\r\n\r\n", head + lengthOf("content") + "content",
					}[n%2]); status != http.StatusNoContent {
						t.Errorf("request %d with pauses of %v is answered %d", n, pause, status)
						return
					}
					time.Sleep(pause)
				}
			})
		}
		clients.Wait()
	})
}

func TestParking_AClientThatLeavesIsNoticed(t *testing.T) {
	overTCP(t, soonParked(), atOnce, func(f *fake) {
		f.parkedNow(t)
		_ = f.Conn.Close()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if open, _ := f.server.Connections(); open == 0 {
				return
			}
		}
		t.Error("the connection of a client that has left stays open")
	})
}

func TestParking_ShutdownEndsIt(t *testing.T) {
	overTCP(t, soonParked(), atOnce, func(f *fake) {
		f.parkedNow(t)
		if err := f.server.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if _, err := f.Reader.ReadByte(); err != io.EOF {
			t.Errorf("after Shutdown the client reads %v", err)
		}
	})
}
