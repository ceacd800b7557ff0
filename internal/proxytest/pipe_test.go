package proxytest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func pipes() (client, server *pipe) { return newPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2}) }

func TestPipe_EachDirectionEndsByItself(t *testing.T) {
	client, server := pipes()
	_, _ = client.Write([]byte("hello"))
	_ = client.CloseWrite()
	if got, err := io.ReadAll(server); string(got) != "hello" || err != nil {
		t.Fatalf("read %q, %v; want all of it and then the end", got, err)
	}
	_, _ = server.Write([]byte("goodbye"))
	_ = server.Close()
	if got, err := io.ReadAll(client); string(got) != "goodbye" || err != nil {
		t.Fatalf("read %q, %v after a half-close", got, err)
	}
	if _, err := client.Write([]byte("x")); err == nil {
		t.Error("writing to an end that has closed succeeded")
	}
}

func TestPipe_ResetLosesWhatIsUnderWay(t *testing.T) {
	client, server := pipes()
	_, _ = client.Write([]byte("hello"))
	client.Reset()
	if n, err := server.Read(make([]byte, 10)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes, %v; want a reset", n, err)
	}
}

func TestPipe_WaitsInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipes()
		begin := time.Now()
		_ = server.SetReadDeadline(begin.Add(3 * time.Second))
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading ended with %v, want a time-out", err)
		}
		_ = client.SetWriteDeadline(begin.Add(5 * time.Second))
		n, err := client.Write(make([]byte, 2*pipeSize))
		if n != pipeSize || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes, %v; want as many as fit and a time-out", n, err)
		}
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("%v have passed, want 5s", d)
		}
	})
}

func TestFlood_NoticesWhatIsOutOfPlace(t *testing.T) {
	want := make([]byte, 4*len(pattern))
	fillPattern(want, 0)
	for _, shift := range []int64{1, 1 << 10, 16 << 10, 64 << 10, 128 << 10} {
		got := make([]byte, 1000)
		fillPattern(got, shift)
		if bytes.Equal(got, want[:1000]) {
			t.Errorf("the pattern is the same %d bytes on", shift)
		}
	}
}
