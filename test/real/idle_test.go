//go:build real

package real

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"net/http"
	"testing"
	"time"
)

const (
	idleConnections = 5000
	// mostIdle is how much memory one of them may take, in KiB, once it is parked.
	mostIdle = 2.5
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
	conns := open(idleConnections)
	for _, c := range conns {
		defer c.Close()
	}
	if n := w.metric(t, "weir_connections"); n < idleConnections {
		t.Fatalf("only %v connections are open", n)
	}
	each := math.Inf(1)
	for end := time.Now().Add(30 * time.Second); each > mostIdle && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		each = float64(w.memory(t, "VmRSS")-before) / idleConnections
	}
	t.Logf("%.2f KiB for each of %d connections (%d KiB before)", each, idleConnections, before)
	if each > mostIdle {
		t.Errorf("%.2f KiB for each connection", each)
	}
	for _, c := range conns[:100] {
		requestOn(t, c)
	}
}

// oneRequest opens a connection, has one request answered, and keeps it open.
func oneRequest(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	requestOn(t, c)
	return c
}

// requestOn has one request answered on a connection.
func requestOn(t *testing.T, c net.Conn) {
	t.Helper()
	_, _ = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
}
