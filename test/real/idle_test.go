//go:build real

package real

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
)

const (
	idleConnections = 5000
	// mostIdle is how much memory one of them may take, in KiB: 4 are the stack
	// of its goroutine, which the runtime does not make smaller again, 1.2 what
	// it refers to, and the rest what the collector has not come to.
	mostIdle = 6.25
)

// A connection that is idle takes little memory.
func TestIdleConnections_TakeLittleMemory(t *testing.T) {
	w := startPlain(t, serve(t, hello))
	open := func(n int) (conns []net.Conn) {
		for range n {
			conns = append(conns, oneRequest(t, w.addresses[0]))
		}
		return conns
	}
	for _, c := range open(200) { // what any number of them needs
		_ = c.Close()
	}
	before := w.memory(t, "VmRSS")
	for _, c := range open(idleConnections) {
		defer c.Close()
	}
	if n := w.metric(t, "weir_connections"); n < idleConnections {
		t.Fatalf("only %v connections are open", n)
	}
	after := w.memory(t, "VmRSS")
	each := float64(after-before) / idleConnections
	t.Logf("%.2f KiB for each of %d connections (%d KiB before, %d KiB after)", each, idleConnections, before, after)
	if each > mostIdle {
		t.Errorf("%.2f KiB for each connection", each)
	}
}

// oneRequest opens a connection, has one request answered, and keeps it open.
func oneRequest(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	return c
}
