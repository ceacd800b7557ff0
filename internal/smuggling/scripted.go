package smuggling

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// After is the path of requests that a scripted endpoint answers as it should.
const After = "/after"

// afterAnswer is its answer to those.
const afterAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nafter\n"

// A ScriptedEndpoint answers every request with the same bytes, but for those
// for After.
type ScriptedEndpoint struct {
	listener net.Listener
	bytes    []byte
	closes   bool
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	// on has, for each request, the number of the connection that it came on.
	on []int
}

// NewScriptedEndpoint starts an endpoint on loopback. With closes, it closes a
// connection behind the bytes.
func NewScriptedEndpoint(bytes []byte, closes bool) (*ScriptedEndpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &ScriptedEndpoint{listener: l, bytes: bytes, closes: closes}
	e.running.Go(e.accept)
	return e, nil
}

// URL is where the endpoint is.
func (e *ScriptedEndpoint) URL() string { return "http://" + e.listener.Addr().String() }

// Close ends the endpoint and its connections.
func (e *ScriptedEndpoint) Close() {
	_ = e.listener.Close()
	e.mu.Lock()
	for _, c := range e.conns {
		_ = c.Close()
	}
	e.mu.Unlock()
	e.running.Wait()
}

// Connections returns, for each request so far, the number of the connection
// that it came on.
func (e *ScriptedEndpoint) Connections() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int(nil), e.on...)
}

// Send writes bytes that nobody has asked for on the connection of that number.
func (e *ScriptedEndpoint) Send(connection int, bytes []byte) error {
	e.mu.Lock()
	c := e.conns[connection]
	e.mu.Unlock()
	_, err := c.Write(bytes)
	return err
}

func (e *ScriptedEndpoint) accept() {
	for {
		c, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		number := len(e.conns)
		e.conns = append(e.conns, c)
		e.mu.Unlock()
		e.running.Go(func() { e.serve(c, number) })
	}
}

func (e *ScriptedEndpoint) serve(c net.Conn, number int) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		e.mu.Lock()
		e.on = append(e.on, number)
		e.mu.Unlock()
		if r.URL.Path == After {
			_, _ = io.WriteString(c, afterAnswer)
			continue
		}
		_, _ = c.Write(e.bytes)
		if e.closes {
			return
		}
	}
}
