package proxytest

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// do does what both clients and endpoints can do on a connection.
func (e *end) do(s *statement) error {
	switch s.verb {
	case "send":
		return e.send(s)
	case "repeat":
		return e.repeat(s)
	case "dribble":
		return e.dribble(s)
	case "fill":
		return e.fill(s)
	case "flood":
		return e.beginFlood(s)
	case "echo":
		n, err := size(s.args)
		if err == nil {
			e.startEcho(n)
		}
		return err
	case "chunk":
		t, err := text(s.args)
		e.write(fmt.Appendf(nil, "%x\r\n%s\r\n", len(t), t))
		return err
	case "end":
		e.writing.Wait()
		e.write([]byte("0\r\n" + strings.Join(append(s.block, "", ""), "\r\n")))
		return nil
	default:
		return e.manner(s)
	}
}

// manner does what is not about bytes.
func (e *end) manner(s *statement) error {
	switch s.verb {
	case "close":
		_ = e.conn.Close()
	case "reset":
		reset(e.conn)
	case "cork":
		return cork(e.conn)
	case "halfclose":
		closeWrite(e.conn)
	case "deaf":
		e.change(func() { e.deaf = true })
	case "listen":
		e.change(func() { e.deaf = false })
	case "ignore":
		e.ignored = true
	default:
		return fmt.Errorf("%s is nothing that can be done", s.verb)
	}
	return nil
}

func (e *end) send(s *statement) error {
	out, err := s.bytes()
	e.write(out)
	return err
}

// repeat sends the block several times.
func (e *end) repeat(s *statement) error {
	n, err := strconv.Atoi(s.args)
	if err != nil {
		return err
	}
	block := statement{block: s.block}
	out, err := block.bytes()
	for range n {
		if err != nil || !e.write(out) {
			return err
		}
	}
	return nil
}

// dribble sends the block byte by byte, with a pause behind each.
func (e *end) dribble(s *statement) error {
	pause, err := time.ParseDuration(s.args)
	if err != nil {
		return err
	}
	block := statement{block: s.block}
	out, err := block.bytes()
	for i := range out {
		if !e.write(out[i : i+1]) {
			break
		}
		time.Sleep(pause)
	}
	return err
}

// fill sends that many times the letter a.
func (e *end) fill(s *statement) error {
	n, err := size(s.args)
	if err == nil {
		e.write([]byte(strings.Repeat("a", int(n))))
	}
	return err
}

func (e *end) beginFlood(s *statement) error {
	amount, chunked := strings.CutSuffix(s.args, " in chunks")
	n, err := size(amount)
	if err == nil {
		e.startFlood(n, chunked)
	}
	return err
}

// want checks what both clients and endpoints can want of a connection.
func (e *end) want(s *statement) error {
	what, rest, _ := strings.Cut(s.args, " ")
	switch what {
	case "content":
		return e.wantContent(rest)
	case "flood":
		n, err := size(rest)
		if err != nil {
			return err
		}
		return e.wantFlood(n)
	case "end":
		return e.wantEnd(s)
	case "cut":
		return e.wantCut()
	case "bytes":
		return e.wantBytes(s, rest)
	case "closed":
		return e.ended()
	case "silence":
		return e.wantSilence()
	case "stalled":
		return e.wantStalled(rest)
	default:
		return fmt.Errorf("%q is nothing that can be wanted", s.args)
	}
}

func (e *end) wantContent(s string) error {
	want, err := text(s)
	if err != nil {
		return err
	}
	var got []byte
	for len(got) < len(want) {
		data, err := e.content(len(want) - len(got))
		got = append(got, data...)
		if err != nil {
			return fmt.Errorf("%w, after the content %s", err, show(got))
		}
	}
	return matchContent(got, want)
}

// wantEnd checks that the content ends here, and with which trailer fields.
func (e *end) wantEnd(s *statement) error {
	if e.message.kind == framedClose {
		return e.ended()
	}
	data, err := e.content(1)
	if err != io.EOF {
		return fmt.Errorf("the content goes on with %q (%w)", data, err)
	}
	return e.matchFields(e.message.trailers, s.block, false)
}

// wantCut checks that the connection ends in the middle of the message.
func (e *end) wantCut() error {
	data, err := e.all()
	switch {
	case errors.Is(err, errCut):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("the message ended properly, after %s", show(data))
	}
}

func (e *end) wantBytes(s *statement, rest string) error {
	block := statement{args: rest, block: s.block}
	want, err := block.bytes()
	if err != nil {
		return err
	}
	got, err := e.exactly(len(want))
	switch {
	case err != nil:
		return fmt.Errorf("%w, after %s of %s", err, show(got), show(want))
	case string(got) != string(want):
		return fmt.Errorf("got  %s\n\twant %s", show(got), show(want))
	default:
		return nil
	}
}

// wantSilence checks that nothing comes for a moment. On a machine that is busy
// it may miss what comes late; the end of the scenario does not.
func (e *end) wantSilence() error {
	e.await(60*time.Millisecond, func() bool { return len(e.in) > 0 || e.err != nil })
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(e.in) > 0:
		return fmt.Errorf("there is no silence: %s came", show(e.in))
	case e.err != nil:
		return fmt.Errorf("there is no silence: the connection ended (%w)", e.err)
	default:
		return nil
	}
}

// wantStalled checks that a flood is held back before it has written more than
// `under SIZE`.
func (e *end) wantStalled(s string) error {
	most, err := size(strings.TrimPrefix(s, "under "))
	if err != nil {
		return err
	}
	n, err := e.stalled(300 * time.Millisecond)
	if err == nil && n >= most {
		err = fmt.Errorf("%d bytes were written before the sender was held back", n)
	}
	return err
}
