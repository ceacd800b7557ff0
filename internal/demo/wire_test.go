package demo

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// wires returns a wire and its other end.
func wires(t *testing.T) (*wire, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() {
		_ = near.Close()
		_ = far.Close()
	})
	return newWire(near), far
}

func TestWire_IsSilentUntilItThaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, far := wires(t)
		read, arrived := make(chan string, 1), make(chan string, 1)
		go func() {
			b := make([]byte, 8)
			n, _ := w.Read(b)
			read <- string(b[:n])
		}()
		synctest.Wait() // it reads already
		w.freeze()
		go func() {
			b := make([]byte, 8)
			n, _ := far.Read(b)
			arrived <- string(b[:n])
		}()
		go func() { _, _ = w.Write([]byte("out")) }()
		if _, err := far.Write([]byte("in")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if len(read)+len(arrived) > 0 {
			t.Errorf("while it is frozen, %d reads are over and %d writes arrive; want none", len(read), len(arrived))
		}
		w.thaw()
		if text := <-arrived; text != "out" {
			t.Errorf("after it has thawed, %q arrives, want out", text)
		}
		if text := <-read; text != "in" {
			t.Errorf("after it has thawed, %q was read, want in", text)
		}
	})
}

func TestWire_CanBeClosedWhileItIsFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := wires(t)
		w.freeze()
		ended := make(chan error, 1)
		go func() {
			_, err := w.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		_ = w.Close()
		if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a reader of a frozen wire that is closed gets %v, want that it is closed", err)
		}
	})
}
