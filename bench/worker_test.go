package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// routerSide lets one worker attach and returns a client that sends it requests. accepted
// does what comes before the client's preface.
func routerSide(t *testing.T, way string, accepted func(net.Conn) net.Conn) *http.Client {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fd, err := dialProxy(listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		link := &workerLink{fd: fd, buf: make([]byte, 64<<10)}
		err := link.attach(way)
		if err == nil {
			err = link.serve(newFrameServer())
		}
		served <- err
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		Protocols:   new(http.Protocols),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return accepted(conn), nil },
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(func() {
		_ = conn.Close()
		if err := <-served; err != nil {
			t.Errorf("the worker ended with %v, want nothing when the router leaves", err)
		}
		_ = unix.Close(fd)
	})
	return &http.Client{Transport: transport}
}

// acceptUpgrade answers the worker's request.
func acceptUpgrade(t *testing.T) func(net.Conn) net.Conn {
	return func(conn net.Conn) net.Conn {
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil || request.URL.Path != "/.well-known/weir/attach" || request.Header.Get("Upgrade") != "ptth" {
			t.Errorf("the worker asks for %+v (%v), want its upgrade", request, err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n\r\n")
		return conn
	}
}

// A reversedConn is used by a client of a side that has accepted a client: the preface that
// is written does not leave.
type reversedConn struct {
	net.Conn
	left int
}

func (c *reversedConn) Write(p []byte) (int, error) {
	unsaid := min(c.left, len(p))
	c.left -= unsaid
	n, err := c.Conn.Write(p[unsaid:])
	return unsaid + n, err
}

// acceptReversal takes the worker's preface.
func acceptReversal(t *testing.T) func(net.Conn) net.Conn {
	return func(conn net.Conn) net.Conn {
		begin := make([]byte, len(preface))
		if _, err := io.ReadFull(conn, begin); err != nil || string(begin) != preface {
			t.Errorf("the worker begins with %q (%v), want the preface", begin, err)
		}
		return &reversedConn{conn, len(preface)}
	}
}

// answer is the content of a 200.
func answer(t *testing.T, client *http.Client, method, path string, content []byte) string {
	t.Helper()
	request, err := http.NewRequest(method, "http://bench.example"+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Request-Id", "7")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Server") != "endpoint" {
		t.Errorf("%s %s is answered %s, %v (%v)", method, path, response.Status, response.Header, err)
	}
	return string(body)
}

func TestWorker_AnswersAsTheEndpointsDo(t *testing.T) {
	for way, accepted := range map[string]func(net.Conn) net.Conn{byUpgrade: acceptUpgrade(t), byReversal: acceptReversal(t)} {
		client := routerSide(t, way, accepted)
		if body := answer(t, client, "GET", "/bytes/512", nil); len(body) != 512 {
			t.Errorf("%s: %d bytes are the answer, want 512", way, len(body))
		}
		fields := parseFields(answer(t, client, "GET", "/echo", nil))
		if fields["host"] != "bench.example" || fields["x-request-id"] != "7" {
			t.Errorf("%s: the echo has the fields %v", way, fields)
		}
		for range 20 { // more than the window of the connection
			if body := answer(t, client, "POST", "/bytes/5", make([]byte, 10<<10)); body != "01234" {
				t.Errorf("%s: the answer to a POST is %q", way, body)
			}
		}
	}
}

func TestFrameServer_WaitsForTheWindow(t *testing.T) {
	s := newFrameServer()
	s.out, s.window = nil, 100
	s.answer(1, s.filler[:60])
	s.answer(3, s.filler[:60])
	first := len(s.out)
	if n := bytes.Count(s.out, s.filler[:60]); n != 1 {
		t.Errorf("%d answers of 60 bytes left through a window of 100, want 1", n)
	}
	update := append(appendFrameHead(nil, 4, frameWindow, 0, 0), 0, 0, 0, 20)
	if _, err := s.take(update); err != nil || bytes.Count(s.out[first:], s.filler[:60]) != 1 {
		t.Errorf("widened by 20, it sends %q (%v), want the second answer", s.out[first:], err)
	}
}

func TestFrameServer_TakesWholeFramesOnly(t *testing.T) {
	s := newFrameServer()
	s.out = nil
	ping := append(appendFrameHead(nil, 8, framePing, 0, 0), "12345678"...)
	two := append(bytes.Clone(ping), ping[:12]...)
	if taken, err := s.take(two); taken != len(ping) || err != nil || !strings.HasSuffix(string(s.out), "12345678") {
		t.Errorf("of a PING and a part of another %d bytes were taken (%v) and %q answered", taken, err, s.out)
	}
	long := appendFrameHead(nil, maxFrame+1, framePing, 0, 0)
	if _, err := s.take(long); err == nil {
		t.Error("a frame longer than allowed was taken")
	}
}
