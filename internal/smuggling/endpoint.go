package smuggling

import (
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Message is a request as an endpoint read it.
type Message struct {
	// Serial is what the endpoint answers with.
	Serial               string
	Method, Target, Host string
	// Header has the fields, trailer fields too.
	Header http.Header
	Body   string
	// Whole: the content was read to its end.
	Whole bool
	// Tunnel is what came after a switch of protocols.
	Tunnel string
}

// An Endpoint is a server of package net/http that keeps what it reads. Its
// answer depends on the path: /switch switches protocols, if that is asked for,
// and echoes; /ignore does not read content; anything else reads all of it.
type Endpoint struct {
	server   http.Server
	listener net.Listener

	mu       sync.Mutex
	serial   int
	messages []*Message
	wires    []*wire
	received int
}

// NewEndpoint starts an endpoint on loopback.
func NewEndpoint() (*Endpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Endpoint{listener: l}
	e.server = http.Server{Handler: e, ReadHeaderTimeout: time.Minute, DisableGeneralOptionsHandler: true}
	go func() { _ = e.server.Serve(recordingListener{l, e}) }()
	return e, nil
}

// URL is where the endpoint is.
func (e *Endpoint) URL() string { return "http://" + e.listener.Addr().String() }

// Close ends the endpoint and its connections.
func (e *Endpoint) Close() { _ = e.server.Close() }

// ServeHTTP implements http.Handler.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := e.begin(r)
	w.Header().Set(SeenField, m.Serial)
	if r.URL.Path == "/switch" && r.Header.Get("Upgrade") != "" {
		e.tunnel(w, r, m)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/ignore") {
		e.read(r, m)
	} else {
		e.update(func() { m.Whole = true })
	}
	_, _ = io.WriteString(w, "seen\n")
}

func (e *Endpoint) begin(r *http.Request) *Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	m := &Message{
		Serial: strconv.Itoa(e.serial),
		Method: r.Method, Target: r.RequestURI, Host: r.Host,
		Header: r.Header.Clone(),
	}
	for _, coding := range r.TransferEncoding {
		m.Header.Add("Transfer-Encoding", coding) // which net/http takes out
	}
	e.messages = append(e.messages, m)
	return m
}

func (e *Endpoint) read(r *http.Request, m *Message) {
	body, err := io.ReadAll(r.Body)
	e.update(func() {
		m.Body, m.Whole = string(body), err == nil
		maps.Copy(m.Header, r.Trailer)
	})
}

func (e *Endpoint) update(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// tunnel switches to what is asked for, and echoes.
func (e *Endpoint) tunnel(w http.ResponseWriter, r *http.Request, m *Message) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+
		r.Header.Get("Upgrade")+"\r\n"+SeenField+": "+m.Serial+"\r\n\r\n")
	data, err := io.ReadAll(rw)
	e.update(func() { m.Tunnel, m.Whole = string(data), err == nil })
	_, _ = c.Write(data)
}

// Taken is what an endpoint has read since it was asked last.
type Taken struct {
	// Messages are those that were read to their end.
	Messages []*Message
	// Err is what CheckWire said.
	Err error
}

// Take returns what came since the last call.
func (e *Endpoint) Take() Taken {
	e.mu.Lock()
	defer e.mu.Unlock()
	var t Taken
	for _, m := range e.messages {
		if m.Whole {
			t.Messages = append(t.Messages, m)
		}
	}
	e.messages = nil
	for _, w := range e.wires {
		if w.broken {
			continue // the rest of a message that was given up
		}
		whole, err := CheckWire(w.data)
		if err != nil {
			t.Err = err
		}
		w.data, w.broken = nil, !whole
	}
	return t
}

// Received returns how many bytes came so far, in all.
func (e *Endpoint) Received() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.received
}

// wire is what came over one connection.
type wire struct {
	data   []byte
	broken bool
}

type recordingListener struct {
	net.Listener
	endpoint *Endpoint
}

func (l recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := new(wire)
	l.endpoint.update(func() { l.endpoint.wires = append(l.endpoint.wires, w) })
	return &recordingConn{c, l.endpoint, w}, nil
}

type recordingConn struct {
	net.Conn
	endpoint *Endpoint
	wire     *wire
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.endpoint.update(func() {
		c.wire.data = append(c.wire.data, p[:n]...)
		c.endpoint.received += n
	})
	return n, err
}
