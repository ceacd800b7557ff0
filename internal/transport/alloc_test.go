//go:build !race

package transport

import (
	"testing"
)

// TestHTTP1_AllocatesNothingOnAKeptConnection: with a deadline, which costs a look
// at the clock, and without.
func TestHTTP1_AllocatesNothingOnAKeptConnection(t *testing.T) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f := newFake(func(c *fakeConn) {
		room := make([]byte, 4<<10)
		for {
			if _, err := c.Conn.Read(room); err != nil {
				return
			}
			if _, err := c.Conn.Write(answer); err != nil {
				return
			}
		}
	})
	tr := f.overTCP(t, options())
	x, c := newExchange("GET"), new(Call)
	for _, deadline := range []bool{false, true} {
		n := testing.AllocsPerRun(200, func() {
			if deadline {
				within(x)
			}
			if failure := tr.RoundTrip(x, c); failure != nil {
				t.Fatal(failure)
			}
			_, _ = c.Response.Body.Next(true)
			if _, err := c.Response.Body.Next(true); err == nil {
				t.Fatal("the content has no end")
			}
			c.Close(x)
		})
		if n != 0 {
			t.Errorf("with a deadline (%t) a round trip allocates %v times", deadline, n)
		}
	}
	if n := f.dials.Load(); n != 1 {
		t.Errorf("there were %d connections, want one that is kept", n)
	}
}
