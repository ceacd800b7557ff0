package weir_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/weirproxy/weir/config"
)

// TestProxy_ServesOnASmallStack: a connection that has served requests on the plain path
// has a stack of 4 KiB. A frame that grows by some hundred bytes on the way makes it 8,
// for every connection that is not parked.
func TestProxy_ServesOnASmallStack(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has larger frames")
	}
	const (
		connections = 400
		most        = 4<<10 + 512
	)
	first := newAllocClient(t, allocExchanges[0], config.Service{})
	first.exchange(t)
	for range 5 {
		goroutines, before := runtime.NumGoroutine(), stackInUse()
		var all []net.Conn
		for range connections {
			c, err := net.Dial("tcp", first.conn.RemoteAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
			one := *first
			one.conn = c
			one.exchange(t)
		}
		each, there := (stackInUse()-before)/connections, runtime.NumGoroutine()-goroutines
		for _, c := range all {
			_ = c.Close()
		}
		if there < connections {
			continue // some have been parked meanwhile
		}
		t.Logf("%d bytes of stack for each connection", each)
		if each > most {
			t.Errorf("each connection has a stack of %d bytes, want %d at most", each, most)
		}
		return
	}
	t.Error("connections were parked before they could be measured, five times")
}

// stackInUse is how many bytes all stacks have together.
func stackInUse() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.StackInuse)
}
