//go:build real

package real

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// A customer is a client that counts what it gets: one connection at a time, spoken
// to byte by byte, because http.Client would ask again on its own.
type customer struct {
	name    string // ids begin with it
	address string
	bound   time.Duration // after this a request hangs
	random  *rand.Rand
	diet    diet
	reports []ledger.Report
	line    *line
}

// A diet is what a customer asks for, and how.
type diet struct {
	posts    float64       // the share of POST
	content  int           // a POST carries less than this
	answer   int           // most bytes of an answer; half of them are small
	keep     float64       // the share of requests that leave the connection open
	thinking time.Duration // the longest pause between requests
	// large is the share of requests that carry, or want, up to largest bytes.
	large   float64
	largest int
	pause   time.Duration // the longest, of who answers, in the middle of an answer
	// away reports whether the proxy itself was away at some time since: who got
	// no byte from it then asks again, if that is safe. nil: it never is.
	away func(since time.Time) bool
}

// A line is a customer's connection.
type line struct {
	net.Conn
	in *bufio.Reader
}

// run asks until the context ends; told is called after each request.
func (c *customer) run(ctx context.Context, told func()) {
	for n := 1; ctx.Err() == nil; n++ {
		c.reports = append(c.reports, c.ask(c.order(fmt.Sprintf("%s-%d", c.name, n))))
		told()
		if c.diet.thinking > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(c.random.Int64N(int64(c.diet.thinking)))):
			}
		}
	}
	if c.line != nil {
		last := &c.reports[len(c.reports)-1]
		c.hangUp(last)
	}
}

// An order is one request.
type order struct {
	id, method string
	prefix     string // of the path, before the id
	content    []byte
	chunked    bool
	size       int // of the answer
	pause      time.Duration
	keep       bool
}

func (c *customer) order(id string) order {
	o := order{id: id, method: http.MethodGet, keep: c.random.Float64() < c.diet.keep, size: c.random.IntN(300)}
	if c.random.IntN(2) == 0 {
		o.size = c.random.IntN(c.diet.answer)
	}
	o.size = max(o.size, len(id)+1)
	if c.random.Float64() < c.diet.posts {
		o.method, o.chunked = http.MethodPost, c.random.IntN(2) == 0
		o.content = bytes.Repeat([]byte{byte('a' + c.random.IntN(26))}, c.random.IntN(c.diet.content))
	}
	if c.diet.large > 0 && c.random.Float64() < c.diet.large {
		c.enlarge(&o)
	}
	if c.diet.pause > 0 && c.random.IntN(4) == 0 {
		o.pause = time.Duration(c.random.Int64N(int64(c.diet.pause)))
	}
	return o
}

// enlarge makes the content of a POST large, or its answer, and that of a GET.
func (c *customer) enlarge(o *order) {
	n := c.random.IntN(c.diet.largest)
	if o.content != nil && c.random.IntN(2) == 0 {
		o.content = bytes.Repeat([]byte("large "), n/6+1)
	} else {
		o.size = max(o.size, n)
	}
}

// wire is the request as it is sent.
func (o order) wire() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s /%s%s?size=%d&pause=%dms HTTP/1.1\r\nHost: chaos.example\r\n", o.method, o.prefix, o.id, o.size, o.pause.Milliseconds())
	if !o.keep {
		b.WriteString("Connection: close\r\n")
	}
	switch {
	case o.method == http.MethodGet:
		b.WriteString("\r\n")
	case !o.chunked:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(o.content), o.content)
	default:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for rest := o.content; len(rest) > 0; {
			n := min(len(rest), 5000)
			fmt.Fprintf(&b, "%x\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		b.WriteString("0\r\n\r\n")
	}
	return b.Bytes()
}

// ask sends a request and reports how it ends.
func (c *customer) ask(o order) ledger.Report {
	began := time.Now()
	for {
		r, again := c.try(o, began)
		if !again {
			return r
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// try sends a request. It is to be sent again if it cannot have been executed, or
// may be executed again, and the proxy was away.
func (c *customer) try(o order, began time.Time) (r ledger.Report, again bool) {
	r = ledger.Report{ID: o.id, Method: o.method, Sent: len(o.content), Began: began}
	if err := c.connect(); err != nil {
		r.Outcome, r.Detail, r.Took = ledger.Lost, err.Error(), time.Since(began)
		return r, errors.Is(err, syscall.ECONNREFUSED) && c.wasAway(began)
	}
	_ = c.line.SetDeadline(r.Began.Add(c.bound))
	// An answer may be there even if not all could be written.
	_, _ = c.line.Write(o.wire())
	open := c.hear(o, &r)
	r.Took = time.Since(r.Began)
	switch {
	case !open:
		_ = c.line.Close()
		c.line = nil
	case !o.keep:
		c.hangUp(&r)
	case c.line.in.Buffered() > 0:
		r.Extra = c.line.rest()
	}
	return r, r.Outcome == ledger.Lost && o.method == http.MethodGet && c.wasAway(began)
}

// wasAway reports whether the proxy was, since a request began.
func (c *customer) wasAway(began time.Time) bool {
	return c.diet.away != nil && time.Since(began) < c.bound && c.diet.away(began)
}

func (c *customer) connect() error {
	if c.line != nil && c.diet.away != nil && c.line.closed() {
		_ = c.line.Close()
		c.line = nil
	}
	if c.line != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.address, c.bound)
	if err == nil {
		c.line = &line{Conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}
	}
	return err
}

// hear reads the answer; the connection is of use afterwards if it is open.
func (c *customer) hear(o order, r *ledger.Report) (open bool) {
	resp, err := http.ReadResponse(c.line.in, &http.Request{Method: o.method})
	if err != nil {
		r.Outcome, r.Detail = ended(err, ledger.Lost), err.Error()
		return false
	}
	content, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	r.Status = resp.StatusCode
	if err != nil {
		r.Outcome = ended(err, ledger.Cut)
		r.Detail = fmt.Sprintf("%d bytes of content from %s, then %v", len(content), resp.Header.Get(ledger.FieldEndpoint), err)
		return false
	}
	judge(o, r, resp, content)
	return !resp.Close
}

// ended is Hung if it was time that ended the reading.
func ended(err error, otherwise ledger.Outcome) ledger.Outcome {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ledger.Hung
	}
	return otherwise
}

// judge tells whose answer it is.
func judge(o order, r *ledger.Report, resp *http.Response, content []byte) {
	var problem struct{ Error, Detail string }
	if resp.Header.Get("Content-Type") == "application/problem+json" && json.Unmarshal(content, &problem) == nil {
		r.Outcome, r.Code, r.Detail = ledger.Refused, problem.Error, problem.Detail
		if strings.Contains(problem.Detail, "local server") {
			r.Code = "worker's " + r.Code // said by weir attach of what stands behind it
		}
		return
	}
	if err := ledger.Check(o.id, o.content, o.size, resp.Header, content); err != nil {
		r.Outcome, r.Detail = ledger.Foreign, err.Error()
		return
	}
	r.Outcome, r.Endpoint = ledger.Answered, resp.Header.Get(ledger.FieldEndpoint)
}

// hangUp says that nothing more will be asked, and waits for the other side to
// close: whatever comes before that was not asked for.
func (c *customer) hangUp(r *ledger.Report) {
	if t, ok := c.line.Conn.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.line.SetDeadline(time.Now().Add(c.bound))
	r.Extra += c.line.rest()
	_ = c.line.Close()
	c.line = nil
}

// closed reports whether the other side has closed the connection while nothing was
// asked: it may, and who sees it does not ask there.
func (l *line) closed() (closed bool) {
	raw, err := l.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	_ = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = n == 0 && err == nil || err != nil && !errors.Is(err, syscall.EAGAIN)
		return true
	})
	return closed
}

// rest is what comes until the connection ends; that it does not end is told too.
func (l *line) rest() string {
	all, err := io.ReadAll(io.LimitReader(l.in, 1<<20))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return string(all) + " (and the connection stays open)"
	}
	return string(all)
}
