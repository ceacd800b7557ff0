//go:build !race

package http2

import (
	"io"
	"net"
	"testing"
)

// TestRoundTrip_AllocatesNothing plays a peer that allocates nothing either, and
// whose fields are in its table already.
func TestRoundTrip_AllocatesNothing(t *testing.T) {
	t.Run("pipe", func(t *testing.T) {
		ours, theirs := net.Pipe()
		allocatesNothing(t, ours, theirs)
	})
	t.Run("socket", func(t *testing.T) {
		ours, theirs := connectTCP(t)
		allocatesNothing(t, ours, theirs)
	})
}

func allocatesNothing(t *testing.T, ours, theirs net.Conn) {
	t.Helper()
	go func() {
		defer theirs.Close()
		_, _ = io.ReadFull(theirs, make([]byte, len(preface)))
		_, _ = theirs.Write(appendFrame(nil, frameSettings, 0, 0, nil))
		r := newFrameReader(theirs)
		var f frame
		var out []byte
		for r.next(&f) == nil {
			if f.kind == frameHeaders {
				out = appendHeaders(out[:0], f.stream, false, []byte{0x88})
				out = appendFrame(out, frameData, flagEndStream, f.stream, []byte("hello"))
				_, _ = theirs.Write(out)
			}
		}
	}()
	c, err := NewConn(ours, Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := newExchange("GET", "/path", "User-Agent", "bench", "Accept", "*/*", "X-Other", "1")
	var s Stream
	allocs := testing.AllocsPerRun(200, func() {
		if f := c.RoundTrip(x, &s); f != nil {
			t.Fatal(f)
		}
		for {
			if _, err := s.Response.Body.Next(true); err != nil {
				break
			}
		}
		s.Close(x)
	})
	if allocs > 0 {
		t.Errorf("a round trip allocates %v times, want none", allocs)
	}
	c.Close()
	<-c.Closed()
}
