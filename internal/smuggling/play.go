package smuggling

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Sentinel is the request that is sent behind a case.
const Sentinel = "GET /sentinel HTTP/1.1\r\nHost: sentinel.example\r\n\r\n"

// patience bounds everything that a client waits for.
const patience = 10 * time.Second

// ErrHangs is what went wrong when there was neither an answer nor an end.
var ErrHangs = errors.New("the proxy neither answered nor closed")

// SeenField is the field by which an endpoint tells, in its answer, which message
// it answers.
const SeenField = "X-Seen"

// An Answer is a final response that the client got.
type Answer struct {
	Status int
	// Seen is the serial of the message that an endpoint answered.
	Seen string
	// Error is the error of a problem document by the proxy.
	Error string
	Body  []byte
	// Err says that the content was cut off or malformed.
	Err error
}

// A Transcript is what a client got for a case.
type Transcript struct {
	Answers []Answer
	// Interim are the statuses of interim answers.
	Interim []int
	// Tunnel is what came after a 101.
	Tunnel []byte
	// Closed: the proxy ended the connection, before the client did.
	Closed bool
	// Err is what was not HTTP, or that nothing came.
	Err error
}

// closeWriter is a connection that can be half-closed.
type closeWriter interface{ CloseWrite() error }

// Play sends a case on a fresh connection, which it closes, and returns what came
// back.
func Play(c net.Conn, cs *Case, m Mode) *Transcript { return PlayWithin(c, cs, m, patience) }

// PlayWithin is Play with another bound on how long it waits in all.
func PlayWithin(c net.Conn, cs *Case, m Mode, patience time.Duration) *Transcript {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	p := player{conn: c, in: bufio.NewReader(c), cs: cs}
	for i, step := range cs.Steps {
		if i > 0 && !p.read() {
			return p.end()
		}
		last := i == len(cs.Steps)-1
		if last && m != HalfClose && !cs.Switches() {
			step = append(bytes.Clone(step), Sentinel...)
		}
		p.send(step, m)
	}
	if m == HalfClose {
		_ = c.(closeWriter).CloseWrite()
	}
	for len(p.got.Answers) < p.due(m) && p.read() {
	}
	return p.end()
}

type player struct {
	conn net.Conn
	in   *bufio.Reader
	cs   *Case
	got  Transcript
	over bool
}

// send writes a step. That the proxy does not take all of it is its right.
func (p *player) send(step []byte, m Mode) {
	if m != Drip {
		_, _ = p.conn.Write(step)
		return
	}
	for i := range step {
		if _, err := p.conn.Write(step[i : i+1]); err != nil {
			return
		}
	}
}

// due is how many answers there are to be.
func (p *player) due(m Mode) int {
	n := len(p.cs.Want)
	switch {
	case m == HalfClose || p.cs.Closed && !p.cs.Switches():
		return n + 1 // which will not come: read to the end
	case p.cs.Switches():
		return n
	default:
		return n + 1
	}
}

// read reads one answer; false at the end.
func (p *player) read() bool {
	if p.over {
		return false
	}
	if _, err := p.in.Peek(1); err != nil {
		p.over = true
		p.got.Closed = !errors.Is(err, os.ErrDeadlineExceeded)
		if !p.got.Closed {
			p.got.Err = ErrHangs
		}
		return false
	}
	resp, err := http.ReadResponse(p.in, &http.Request{Method: p.method()})
	if err != nil {
		p.got.Err, p.over = err, true
		return false
	}
	if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		p.got.Interim = append(p.got.Interim, resp.StatusCode)
		return true
	}
	p.got.Answers = append(p.got.Answers, readAnswer(resp))
	return true
}

// method is that of the message which is answered next.
func (p *player) method() string {
	if n := len(p.got.Answers); n < len(p.cs.Want) {
		return p.cs.Want[n].Method
	}
	return http.MethodGet
}

func readAnswer(resp *http.Response) Answer {
	a := Answer{Status: resp.StatusCode, Seen: resp.Header.Get(SeenField)}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		a.Body, a.Err = io.ReadAll(resp.Body)
	}
	if resp.Header.Get("Content-Type") == "application/problem+json" {
		a.Error = "unknown"
		var doc struct{ Error string }
		if json.Unmarshal(a.Body, &doc) == nil {
			a.Error = doc.Error
		}
	}
	return a
}

// end reads what else comes once the client has ended its half.
func (p *player) end() *Transcript {
	if p.over {
		return &p.got
	}
	if n := len(p.got.Answers); n > 0 && p.got.Answers[n-1].Status == http.StatusSwitchingProtocols {
		_ = p.conn.(closeWriter).CloseWrite()
		p.got.Tunnel, p.got.Err = io.ReadAll(p.in)
		p.got.Closed = true
		return &p.got
	}
	_ = p.conn.(closeWriter).CloseWrite()
	for p.read() {
	}
	p.got.Closed = false // the client was first
	return &p.got
}
