package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A holder is an endpoint that answers its name, holds requests below /hold until
// it is released, and answers those for /NAME/STATUS with that status.
type holder struct {
	name     string
	held     chan struct{} // one for each that it holds
	released chan struct{}
}

// ServeHTTP implements http.Handler.
func (h *holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/hold") {
		h.held <- struct{}{}
		select {
		case <-h.released:
		case <-r.Context().Done():
			return
		}
	}
	if status, ok := strings.CutPrefix(r.URL.Path, "/"+h.name+"/"); ok {
		code, _ := strconv.Atoi(status) // 0 makes the test's server panic
		w.WriteHeader(code)
	}
	fmt.Fprintln(w, h.name)
}

func startEndpoint(ts *testscript.TestScript, args []string) error {
	h := &holder{name: args[0], held: make(chan struct{}, 16), released: make(chan struct{})}
	server := httptest.NewServer(h)
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	stageOf(ts).endpoints[h.name] = h
	ts.Setenv(h.name, server.Listener.Addr().String())
	return nil
}

func release(ts *testscript.TestScript, args []string) error {
	close(stageOf(ts).endpoints[args[0]].released)
	return nil
}

// An answer is a response as text, or why there is none.
type answer struct {
	status int
	text   string
	err    error
}

// request sends a request on a connection of its own.
func request(method, address string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Close = true
	res, err := new(http.Transport).RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	var text bytes.Buffer
	err = res.Write(&text)
	return answer{res.StatusCode, strings.ReplaceAll(text.String(), "\r\n", "\n"), err}
}

func get(ts *testscript.TestScript, args []string) error {
	return show(ts, request(http.MethodGet, args[0]))
}

func post(ts *testscript.TestScript, args []string) error {
	return show(ts, request(http.MethodPost, args[0]))
}

func show(ts *testscript.TestScript, a answer) error {
	if a.err == nil {
		_, a.err = io.WriteString(ts.Stdout(), a.text)
	}
	return a.err
}

func inquire(_ *testscript.TestScript, args []string) error {
	return poll(func() error {
		a := request(http.MethodGet, args[0])
		if a.err == nil && strconv.Itoa(a.status) != args[1] {
			a.err = fmt.Errorf("status %d, want %s", a.status, args[1])
		}
		return a.err
	})
}

func sequence(ts *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	u, err := url.Parse(args[1])
	if err != nil {
		return err
	}
	c, err := net.DialTimeout("tcp", u.Host, soon)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(soon))
	in := bufio.NewReader(c)
	for range n {
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.RequestURI(), u.Host); err != nil {
			return err
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(ts.Stdout(), res.Body); err != nil {
			return err
		}
	}
	return nil
}

func hold(ts *testscript.TestScript, args []string) error {
	s := stageOf(ts)
	pending := make(chan answer, 1)
	s.pending[args[1]] = pending
	go func() { pending <- request(http.MethodGet, args[1]) }()
	select {
	case <-s.endpoints[args[0]].held:
		return nil
	case a := <-pending:
		return fmt.Errorf("it was answered, not held: %d %v", a.status, a.err)
	case <-time.After(soon):
		return errors.New("it has not come")
	}
}

func answered(ts *testscript.TestScript, args []string) error {
	return show(ts, <-stageOf(ts).pending[args[0]])
}
