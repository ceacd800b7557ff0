package attach

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A pipeListener yields ends of pipes, as if they came from an address.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	remote *net.TCPAddr
}

func newPipeListener(remote string) *pipeListener {
	ip := net.ParseIP(remote)
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{}), remote: &net.TCPAddr{IP: ip, Port: 40000}}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7000} }

type addressed struct {
	net.Conn
	remote net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.remote }

// dial returns the client's end of a connection that the door has accepted.
func (l *pipeListener) dial(t *testing.T) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	l.conns <- addressed{server, l.remote}
	return client
}

// A room is a door that serves a pipeListener, and what was announced.
type room struct {
	*Door
	*pipeListener
	announced chan Attached
}

// newRoom opens a door for connections from an address, until the test ends.
func newRoom(t *testing.T, remote string, o Options, r Rules) *room {
	t.Helper()
	room := &room{pipeListener: newPipeListener(remote), announced: make(chan Attached, 16)}
	o.Announce = func(a Attached) error {
		room.announced <- a
		return nil
	}
	var err error
	if room.Door, err = NewDoor(o, r); err != nil {
		t.Fatalf("the door could not be made: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- room.Serve(room.pipeListener) }()
	t.Cleanup(func() {
		room.Door.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve returned %v after Close, not ErrClosed", err)
		}
	})
	return room
}

var anonymous = Rules{Anonymous: true}

// request is a request to attach, with more fields.
func request(fields ...string) string {
	return "GET " + Path + " HTTP/1.1\r\nHost: router\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n" +
		strings.Join(append(fields, "", ""), "\r\n")
}

// An answer is what a client read.
type answer struct {
	*http.Response
	problem exchange.Problem
}

// ask sends text and reads the answer to it.
func ask(t *testing.T, c net.Conn, text string) answer {
	t.Helper()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(c, text) // the door may close before the end
	}()
	a := readAnswer(t, c)
	if a.StatusCode != http.StatusSwitchingProtocols {
		_ = c.Close()
	}
	<-sent
	return a
}

func readAnswer(t *testing.T, c net.Conn) answer {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer came: %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	a := answer{Response: resp}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return a
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a.problem); err != nil {
		t.Fatalf("the %d has no problem document: %v", resp.StatusCode, err)
	}
	return a
}
