package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/transport"
)

// What an endpoint does with a request. A status alone answers with that; one
// with @ and a duration, after that.
const (
	refuses   = "refuses the connection"
	blackhole = "drops what would connect"
	closes    = "closes without an answer"
	garbage   = "answers with garbage"
	silent    = "never answers"
	answers   = "200"
	hints     = "sends hints and answers"
	truncates = "answers half and closes"
)

// A fake is an endpoint that behaves in one way after the other, and as the last
// one from then on.
type fake struct {
	name string

	mu         sync.Mutex
	behaviours []string
	seen       []string // the content of each request
	left       int      // connections that ended while it was at a request
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

func (f *fake) abandoned() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left
}

// next is how the endpoint behaves now; it behaves in the next way after that.
func (f *fake) next() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.behaviours[0]
	if len(f.behaviours) > 1 {
		f.behaviours = f.behaviours[1:]
	}
	return b
}

func (f *fake) now() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.behaviours[0]
}

func (f *fake) connect(ctx context.Context, _, _ string) (net.Conn, error) {
	switch f.now() {
	case refuses:
		f.next()
		return nil, errors.New("connection refused")
	case blackhole:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	go f.serve(theirs)
	return ours, nil
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		f.mu.Lock()
		f.seen = append(f.seen, string(body))
		f.mu.Unlock()
		if !f.answer(c, r, f.next()) {
			return
		}
	}
}

// answer does what the endpoint does; false if the connection is to be closed.
func (f *fake) answer(c net.Conn, r *bufio.Reader, behaviour string) bool {
	status, after, delayed := strings.Cut(behaviour, "@")
	switch {
	case behaviour == closes:
		return false
	case behaviour == garbage:
		_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n\r\n")
		return false
	case behaviour == truncates:
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		return false
	case behaviour == silent, delayed && !f.pause(c, r, after):
		if behaviour == silent {
			f.pause(c, r, "1h")
		}
		return false
	case behaviour == hints:
		_, _ = fmt.Fprintf(c, "HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n", f.name)
		status = answers
	}
	_, err := fmt.Fprintf(c, "HTTP/1.1 %s Status\r\nX-By: %s\r\nContent-Length: %d\r\n\r\n%s", status, f.name, len(f.name), f.name)
	return err == nil
}

// pause waits; false if the connection ends meanwhile.
func (f *fake) pause(c net.Conn, r *bufio.Reader, text string) bool {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(d))
	if _, err := r.Peek(1); errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.left++
		return false
	}
	_ = c.SetReadDeadline(time.Time{})
	return true
}

// A setup is a service and the endpoints a, b, c… behind it.
type setup struct {
	*Service
	fakes []*fake
}

// seen is how many requests each endpoint has seen, as "1 0 2".
func (s *setup) seen() string {
	var counts []string
	for _, f := range s.fakes {
		counts = append(counts, fmt.Sprint(len(f.requests())))
	}
	return strings.Join(counts, " ")
}

// get serves a GET request.
func (s *setup) get() (*recorder, *exchange.Exchange) { return s.do("GET", nil) }

func (s *setup) do(method string, b *body) (*recorder, *exchange.Exchange) {
	r := new(recorder)
	x := newExchange(method, b, r)
	s.Serve(x)
	return r, x
}

// settings are what tests change of a service.
type settings struct {
	Options
	pool pool.Options[Transport]
}

// defaults are those of a configuration that says nothing, except that the time
// limits are short and that no endpoint rests.
func defaults() *settings {
	retried := Conditions{Connect: true, Reset: true, Timeout: true}
	retried.Statuses[502], retried.Statuses[503], retried.Statuses[504] = true, true, true
	s := &settings{Options: Options{
		Name:    "test",
		Retry:   Retry{Attempts: 3, On: retried, Buffer: 64 << 10, Budget: Budget{Ratio: 0.2, Floor: 10}},
		Hedge:   Hedging{Percentile: 95, Max: 2, Budget: Budget{Ratio: 0.1, Floor: 10}},
		Failing: Conditions{Connect: true, Reset: true, Timeout: true},
	}}
	for status := 100; status < 500; status++ {
		s.Usable[status] = true
	}
	s.pool = pool.Options[Transport]{
		ProbeTimeout: time.Second, Queue: pool.QueueOptions{Size: 10, Timeout: 5 * time.Second},
	}
	s.pool.Policy, _ = balance.Named("first")
	return s
}

// rest has endpoints rest.
func (s *settings) rest() *settings {
	s.pool.Rest = pool.RestOptions{Steps: []time.Duration{100 * time.Millisecond, time.Second}, MaxEjected: 1}
	return s
}

func (s *settings) strategy(st Strategy) *settings {
	s.Strategy = st
	return s
}

// over returns a service of endpoints that behave so; what one does in turn is
// separated by commas.
func (s *settings) over(t *testing.T, behaviours ...string) *setup {
	t.Helper()
	made := new(setup)
	var endpoints []endpoint.Endpoint
	var transports []Transport
	dog := new(conn.Watchdog)
	for i, b := range behaviours {
		f := &fake{name: string(rune('a' + i)), behaviours: strings.Split(b, ", ")}
		made.fakes = append(made.fakes, f)
		address := endpoint.Address{Network: "tcp", Host: "127.0.0.1", Port: "80"}
		endpoints = append(endpoints, endpoint.Endpoint{Name: f.name, Address: address})
		transports = append(transports, transport.NewHTTP1(transport.Options{
			Dialer:   transport.Dialer{Address: address, Timeout: time.Second, Connect: f.connect},
			Limits:   http1.Limits{HeaderBytes: 64 << 10, HeaderCount: 128},
			Response: 2 * time.Second, Read: time.Minute, Write: time.Minute, Idle: time.Minute,
			MaxIdle: 8, Watchdog: dog,
		}))
	}
	s.Pool = pool.New(endpoints, transports, s.pool)
	t.Cleanup(func() {
		s.Pool.Close()
		for _, tr := range transports {
			tr.(*transport.HTTP1).Close()
		}
		time.Sleep(time.Second) // the watchdog sees that there is nothing left
	})
	made.Service = New(s.Options)
	return made
}

// A recorder is a client: it takes the answer.
type recorder struct {
	status     int
	content    string
	header     string // Name: value, one behind the other
	interim    []string
	retryAfter string
	at         time.Duration // when the head came
}

func (r *recorder) Inform(resp *exchange.Response) error {
	r.interim = append(r.interim, fmt.Sprint(resp.Status)+" "+fields(resp.Header))
	return nil
}

func fields(h exchange.Header) string {
	var list []string
	for _, f := range h {
		list = append(list, fmt.Sprintf("%s: %s", f.Name, f.Value))
	}
	return strings.Join(list, ", ")
}

func (r *recorder) Respond(resp *exchange.Response) error {
	r.status, r.at, r.header = resp.Status, exchange.Now(), fields(resp.Header)
	if v, ok := resp.Header.Lookup("Retry-After"); ok {
		r.retryAfter = string(v)
	}
	for resp.Body != nil {
		data, err := resp.Body.Next(true)
		r.content += string(data)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A body is content that is all there. It can be sent again unless it is large.
type body struct {
	text  string
	at    int
	large bool
}

func (b *body) Next(bool) ([]byte, error) {
	if b.at == len(b.text) {
		return nil, io.EOF
	}
	rest := []byte(b.text[b.at:])
	b.at = len(b.text)
	return rest, nil
}

func (b *body) Trailer() exchange.Header   { return nil }
func (b *body) Keep(int)                   {}
func (b *body) Load() (bool, error)        { return !b.large, nil }
func (b *body) Fork() exchange.RequestBody { return &body{text: b.text} }
func (b *body) Interrupt()                 {}

func (b *body) Rewind() bool {
	again := b.at == 0 || !b.large
	b.at = 0
	return again
}

// newExchange is a request that r gets the answer to; without content if b is nil.
func newExchange(method string, b *body, r *recorder) *exchange.Exchange {
	x := &exchange.Exchange{Gone: new(atomic.Bool), Start: exchange.Now(), Responder: r, ID: []byte("id")}
	x.Outcome.Index = -1
	x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Authority: []byte("app"), Path: []byte("/"), Minor: 1,
	}
	if b != nil {
		x.Request.Body, x.Request.Length = b, int64(len(b.text))
	}
	return x
}

func codeOf(f *exchange.Failure) *exchange.Code {
	if f == nil {
		return nil
	}
	return f.Code
}
