package sidecar

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestExtent_EndsWhereTheResponseDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		response string
		toHEAD   bool
	}{
		"a length":          {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false},
		"a length of 0":     {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false},
		"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", false},
		"trailers":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1 ;x=y\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", false},
		"LF alone":          {"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\na\n0\n\n", false},
		"none":              {"HTTP/1.1 204 No Content\r\n\r\n", false},
		"not modified":      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", false},
		"an answer to HEAD": {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true},
		"interim first":     {"HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false},
	} {
		r := received{toHEAD: tc.toHEAD}
		n := r.keep([]byte(tc.response + "HTTP/1.1 200 OK\r\n\r\n"))
		if n != len(tc.response) || !r.over() {
			t.Errorf("%s: %d of %d bytes are the response's, and it is over: %v", name, n, len(tc.response), r.over())
		}
		short := received{toHEAD: tc.toHEAD}
		if n := short.keep([]byte(tc.response[:len(tc.response)-1])); n != len(tc.response)-1 || short.over() {
			t.Errorf("%s: without its last byte it is over: %v", name, short.over())
		}
	}
}

// Only the end of the connection is the end of these; http.Transport judges them.
func TestExtent_HasNoEndOfItsOwn(t *testing.T) {
	for _, head := range []string{
		"101 Switching Protocols\r\nContent-Length: 1", "200 OK", "200 OK\r\nTransfer-Encoding: gzip, chunked",
		"200 OK\r\nContent-Length: x", "200 OK\r\nContent-Length: -1", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
		"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("0", maxLine),
	} {
		var r received
		text := "HTTP/1.1 " + head + "\r\n\r\nsome more\r\n\r\n"
		if n := r.keep([]byte(text)); n != len(text) || r.over() {
			t.Errorf("of %.60q %d bytes of %d are its own, and it is over: %v", head, n, len(text), r.over())
		}
	}
}

// A local server that sends a second answer behind the first one, in whatever way
// that is framed, costs no other request anything: each gets its own.
func TestHandler_TakesNoAnswerForThatOfAnother(t *testing.T) {
	for name, frame := range map[string]func(string) string{
		"length": func(text string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text) },
		"chunks": func(text string) string {
			return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(text), text)
		},
	} {
		for _, padding := range []int{0, 5000, 20000} {
			t.Run(fmt.Sprint(name, padding), func(t *testing.T) {
				pad := strings.Repeat("-", padding)
				r := attach(t, "http://"+serveTwice(t, func(text string) string {
					return "HTTP/1.1 200 OK\r\n" + frame(text+pad)
				}), Options{})
				askInTurns(t, r, pad)
			})
		}
	}
}

// askInTurns has several ask one thing after the other, so that each connection is
// wanted again as soon as it can be.
func askInTurns(t *testing.T, r *router, pad string) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				path := fmt.Sprintf("/%d-%d", i, j)
				resp, err := r.client.RoundTrip(r.request(t, "GET", path, nil))
				if err != nil {
					t.Errorf("%s is not answered: %v", path, err)
					return
				}
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if string(text) != path+pad {
					t.Errorf("%s is answered with %d %.60q", path, resp.StatusCode, text)
					return
				}
			}
		})
	}
	all.Wait()
}

// serveTwice answers each request with its path, and then something nobody asked
// for; in one write, as nobody could tell it from the next answer otherwise.
func serveTwice(t *testing.T, answer func(string) string) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.WriteString(c, answer(req.URL.Path)+answer("/intruder")); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	return ln.Addr().String()
}
