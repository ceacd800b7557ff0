package proxytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// heldBytes is how much an end takes off its connection before somebody asks.
const heldBytes = 256 << 10

// historyBytes is how much of what has arrived a failure shows.
const historyBytes = 600

// errTooLong is why a wait was given up.
var errTooLong = errors.New("nothing more came")

// An end is one end of a connection that a script speaks on. What arrives is
// taken off the connection in the background and kept until a line wants it.
type end struct {
	name     string
	anyOrder bool // fields are compared without regard to order and case
	conn     net.Conn
	patience time.Duration
	bell     *bell
	ignored  bool    // what no line wants is no failure
	message  message // the one whose content is being read
	head     *head   // of the last response
	methods  []string
	serving  *serving // what is answered at once; nil: nothing

	mu      sync.Mutex
	changed chan struct{} // closed and made anew with every change
	in      []byte
	err     error // how reading ended
	deaf    bool  // nothing is taken off the connection
	closing bool
	total   int64
	history []byte // the first bytes that arrived, for messages

	writing sync.WaitGroup
	flood   flood
	reading sync.WaitGroup
}

func newEnd(name string, c net.Conn, st *stage, serving *serving) *end {
	e := &end{
		name: name, conn: c, serving: serving, anyOrder: st.anyOrder,
		patience: st.patience, bell: &st.bell, changed: make(chan struct{}),
	}
	e.reading.Go(e.pump)
	return e
}

// matchFields checks the fields of a head.
func (e *end) matchFields(got []field, want []string, whole bool) error {
	if e.anyOrder {
		got, want = inOrder(got, want)
	}
	return matchFields(got, want, whole)
}

func (e *end) pump() {
	buf := make([]byte, 32<<10)
	for {
		e.await(0, func() bool { return e.err != nil || e.closing || !e.deaf && len(e.in) < heldBytes })
		n, err := e.conn.Read(buf)
		var answer []byte
		e.change(func() {
			e.in = append(e.in, buf[:n]...)
			e.total += int64(n)
			if len(e.history) < historyBytes {
				e.history = append(e.history, buf[:min(n, historyBytes)]...)
			}
			if err != nil {
				e.err = err
			}
			e.in, answer = e.serving.answer(e.in)
		})
		if err != nil {
			return
		}
		if answer != nil {
			e.write(answer)
		}
	}
}

func (e *end) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.changed)
	e.changed = make(chan struct{})
	e.bell.ring()
}

// await waits until ready, under the lock, says so, at most for d unless that is
// 0. It returns whether it did.
func (e *end) await(d time.Duration, ready func() bool) bool {
	var late <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		late = t.C
	}
	for {
		e.mu.Lock()
		ok, changed := ready(), e.changed
		e.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-late:
			return false
		}
	}
}

// some takes what has arrived, at most n bytes and at least one.
func (e *end) some(n int) ([]byte, error) {
	ok := e.await(e.patience, func() bool { return len(e.in) > 0 || e.err != nil })
	if !ok {
		return nil, errTooLong
	}
	return e.takeUpTo(n)
}

func (e *end) takeUpTo(n int) (data []byte, err error) {
	e.change(func() {
		if len(e.in) == 0 {
			err = e.err
			return
		}
		n = min(n, len(e.in))
		data = append(data, e.in[:n]...)
		e.in = e.in[n:]
	})
	return data, err
}

// exactly takes n bytes.
func (e *end) exactly(n int) (data []byte, err error) {
	for len(data) < n {
		more, err := e.some(n - len(data))
		if err != nil {
			return data, err
		}
		data = append(data, more...)
	}
	return data, nil
}

// until takes everything up to and including mark.
func (e *end) until(mark string) (data []byte, err error) {
	at := -1
	ok := e.await(e.patience, func() bool {
		at = bytes.Index(e.in, []byte(mark))
		return at >= 0 || e.err != nil || len(e.in) >= heldBytes
	})
	switch {
	case at >= 0:
		return e.takeUpTo(at + len(mark))
	case !ok:
		return nil, errTooLong
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		return nil, fmt.Errorf("%d bytes came without %q", len(e.in), mark)
	}
	return nil, e.err
}

// write writes p. Errors are not reported here: what matters is what the other
// side sees of it, and a script says that in lines of its own.
func (e *end) write(p []byte) bool {
	_ = e.conn.SetWriteDeadline(time.Now().Add(e.patience))
	_, err := e.conn.Write(p)
	return err == nil
}

// ended waits until the peer has closed the connection and everything was read.
func (e *end) ended() error {
	ok := e.await(e.patience, func() bool { return len(e.in) > 0 || e.err != nil })
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !ok:
		return errors.New("the connection is still open")
	case len(e.in) > 0:
		return fmt.Errorf("instead of the end of the connection came %s", show(e.in))
	default:
		return nil
	}
}

// close ends the connection and whatever happens on it in the background.
func (e *end) close() {
	_ = e.conn.Close()
	e.change(func() { e.closing = true })
	e.reading.Wait()
	e.writing.Wait()
}

// rest returns what arrived and no line has asked for.
func (e *end) rest() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.in
}

// told describes what came over the connection so far, for a failure.
func (e *end) told() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := fmt.Sprintf("%s received %d bytes in all, beginning with %s", e.name, e.total, show(e.history))
	switch {
	case e.err == nil:
	case errors.Is(e.err, io.EOF):
		text += ", and then the end of the connection"
	case errors.Is(e.err, net.ErrClosed), errors.Is(e.err, os.ErrDeadlineExceeded):
		text += ", and closed the connection itself"
	default:
		text += ", and then " + e.err.Error()
	}
	if len(e.in) > 0 {
		text += fmt.Sprintf("; not asked for yet: %s", show(e.in))
	}
	return text
}

// show quotes b, or its beginning, for a message.
func show(b []byte) string {
	const most = historyBytes
	more := ""
	if len(b) > most {
		more = fmt.Sprintf(" and %d bytes more", len(b)-most)
		b = b[:most]
	}
	if len(b) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%q", b) + more
}
