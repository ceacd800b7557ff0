package proxytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An endpoint is a scripted server. It accepts connections by itself; whatever is
// said on them, the script says.
type endpoint struct {
	name     string
	stage    *stage
	listener net.Listener
	present  *end // the connection that the last line was about
	serving  serving

	mu        sync.Mutex
	state     string // up, down, blackhole
	dials     int
	conns     []*end
	accepting sync.WaitGroup
}

func newEndpoint(name string, st *stage) (*endpoint, error) {
	l, err := st.network.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &endpoint{name: name, stage: st, listener: l, state: "up"}
	e.accepting.Go(e.accept)
	return e, nil
}

func (e *endpoint) accept() {
	for {
		c, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		name := fmt.Sprintf("%s/%d", e.name, len(e.conns)+1)
		e.conns = append(e.conns, newEnd(name, c, e.stage, &e.serving))
		e.mu.Unlock()
		e.stage.bell.ring()
	}
}

func (e *endpoint) stop() {
	_ = e.listener.Close()
	e.accepting.Wait()
}

func (e *endpoint) all() []*end {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*end(nil), e.conns...)
}

// dial connects to the endpoint as its state has it.
func (e *endpoint) dial(ctx context.Context, network, address string) (net.Conn, error) {
	e.mu.Lock()
	state := e.state
	e.dials++
	e.mu.Unlock()
	switch state {
	case "down":
		return nil, refused(network, address)
	case "blackhole":
		return nil, blackhole(ctx)
	default:
		return e.stage.network.Dial(ctx, network, e.listener.Addr().String())
	}
}

// endpoint does what an endpoint's line says.
func (st *stage) endpoint(e *endpoint, s *statement) error {
	switch s.verb {
	case "up", "down", "blackhole":
		e.mu.Lock()
		e.state = s.verb
		e.mu.Unlock()
		return nil
	case "serve":
		return e.serving.begin(s.args)
	case "expect":
		return e.expect(s)
	}
	if what, n, _ := strings.Cut(s.args, " "); s.verb == "want" && slices.Contains(counted, what) {
		return e.wantCount(what, n)
	}
	if s.on > 0 && !e.turnTo(s.on) {
		return fmt.Errorf("%s has no connection %d", e.name, s.on)
	}
	switch {
	case e.present == nil:
		return fmt.Errorf("%s has expected nothing yet, so there is no connection to do that on", e.name)
	case s.verb == "want":
		return e.present.want(s)
	case s.verb == "answer", s.verb == "head":
		return e.present.answer(s)
	default:
		return e.present.do(s)
	}
}

// turnTo makes connection n, from 1, the present one, waiting for it to come.
func (e *endpoint) turnTo(n int) bool {
	return e.stage.bell.await(e.stage.patience, func() bool {
		list := e.all()
		if len(list) < n {
			return false
		}
		e.present = list[n-1]
		return true
	})
}

// counted is what can be counted of an endpoint.
var counted = []string{"connections", "dials", "served"}

// wantCount checks how often the endpoint was connected to, was dialed, or has
// answered by itself: N, or N to M.
func (e *endpoint) wantCount(what, numbers string) error {
	least, most, between := strings.Cut(numbers, " to ")
	low, err := strconv.Atoi(least)
	high := low
	if between && err == nil {
		high, err = strconv.Atoi(most)
	}
	if err != nil {
		return fmt.Errorf("%q is not a number of %s", numbers, what)
	}
	if got := e.count(what); got < low || got > high {
		return fmt.Errorf("the number of %s of %s is %d", what, e.name, got)
	}
	return nil
}

func (e *endpoint) count(what string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch what {
	case "dials":
		return e.dials
	case "served":
		return e.serving.count()
	default:
		return len(e.conns)
	}
}

var expectForm = regexp.MustCompile(`^(?:(head|exactly) )?(\S+) (\S+)(?: on ([0-9]+))?$`)

// expect waits for a request on any connection and checks it.
func (e *endpoint) expect(s *statement) error {
	m := expectForm.FindStringSubmatch(s.args)
	if m == nil {
		return errors.New("want `expect [head|exactly] METHOD target [on CONNECTION]`")
	}
	if !e.stage.bell.await(e.stage.patience, e.turnToRequest) {
		return fmt.Errorf("no request came to %s", e.name)
	}
	h, err := e.present.readHead()
	if err != nil {
		return fmt.Errorf("%s did not receive a whole request head: %w", e.present.name, err)
	}
	if want := m[2] + " " + m[3] + " HTTP/1.1"; h.first != want {
		return fmt.Errorf("the request is %q", h.first)
	}
	if want := e.name + "/" + m[4]; m[4] != "" && want != e.present.name {
		return fmt.Errorf("the request came over connection %s", e.present.name)
	}
	fields, content, hasContent, err := s.parts()
	if err != nil {
		return err
	}
	if err := e.present.matchFields(h.fields, fields, m[1] == "exactly"); err != nil {
		return fmt.Errorf("%w\n\tin the head %q", err, h.text)
	}
	if err := e.present.beginRequest(h); err != nil || m[1] == "head" {
		return err
	}
	got, err := e.present.all()
	if err == nil && hasContent {
		err = matchContent(got, content)
	}
	return err
}

// turnToRequest makes the connection present that something has come on.
func (e *endpoint) turnToRequest() bool {
	if e.present != nil && len(e.present.rest()) > 0 {
		return true
	}
	for _, c := range e.all() {
		if len(c.rest()) > 0 {
			e.present = c
			return true
		}
	}
	return false
}

// answer sends a response: a status, and content, either behind it or in the
// block, whose length is said unless the block says how it is framed. With the
// verb head it is only what the block says.
func (e *end) answer(s *statement) error {
	code, rest, _ := strings.Cut(s.args, " ")
	status, err := strconv.Atoi(code)
	if err != nil {
		return fmt.Errorf("%q is not a status", code)
	}
	fields, content, _, err := s.parts()
	if err != nil {
		return err
	}
	if rest != "" {
		if content, err = text(rest); err != nil {
			return err
		}
	}
	out := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, f := range fields {
		if f, err = text(f); err != nil {
			return err
		}
		out += f + "\r\n"
	}
	if status == 101 { // what follows has no framing
		e.message = message{kind: framedClose}
	}
	framed := hasField(fields, "Content-Length") || hasField(fields, "Transfer-Encoding")
	if s.verb == "answer" && !framed && status >= 200 && status != 204 && status != 304 {
		out += fmt.Sprintf("Content-Length: %d\r\n", len(content))
	}
	e.write([]byte(out + "\r\n" + content))
	return nil
}
