package proxytest

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A head is a message's first line and its fields, as they came.
type head struct {
	first  string
	fields []field
	text   string
}

type field struct{ name, value string }

// get returns the value of the first field of that name, without regard to case.
func (h *head) get(name string) (string, bool) {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			return f.value, true
		}
	}
	return "", false
}

// readHead reads one head. It accepts only what a strict recipient does.
func (e *end) readHead() (*head, error) {
	text, err := e.until("\r\n\r\n")
	if err != nil {
		return nil, err
	}
	h := &head{text: string(text)}
	lines := strings.Split(strings.TrimSuffix(h.text, "\r\n\r\n"), "\r\n")
	h.first = lines[0]
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.ContainsAny(line, "\r\n") || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("a field line is not name, colon, space and value: %q", line)
		}
		h.fields = append(h.fields, field{name, value})
	}
	return h, nil
}

// A message is the content that is being read on an end.
type message struct {
	kind     framing
	left     int64 // of the content, or of the chunk
	trailers []field
	// framingCut: the connection ended before the message did.
	framingCut bool
}

type framing uint8

const (
	framedNone framing = iota
	framedLength
	framedChunks
	framedClose
)

// beginRequest prepares to read the content of a request.
func (e *end) beginRequest(h *head) error { return e.begin(h, framedNone) }

// beginResponse prepares to read the content of a response to method.
func (e *end) beginResponse(h *head, status int, method string) error {
	if status == 101 { // what follows has no framing
		e.message = message{kind: framedClose}
		return nil
	}
	if method == "HEAD" || status < 200 || status == 204 || status == 304 {
		e.message = message{}
		return nil
	}
	return e.begin(h, framedClose)
}

func (e *end) begin(h *head, otherwise framing) error {
	e.message = message{kind: otherwise}
	length, sized := h.get("Content-Length")
	coding, coded := h.get("Transfer-Encoding")
	switch {
	case sized && coded:
		return errors.New("the message has both Content-Length and Transfer-Encoding")
	case coded && coding != "chunked":
		return fmt.Errorf("the message has Transfer-Encoding: %s", coding)
	case coded:
		e.message.kind = framedChunks
	case sized:
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil {
			return err
		}
		e.message = message{kind: framedLength, left: n}
	}
	return nil
}

// content returns up to n bytes of content as they come, or io.EOF at its end.
func (e *end) content(n int) ([]byte, error) {
	m := &e.message
	switch m.kind {
	case framedNone:
		return nil, io.EOF
	case framedClose:
		return e.some(n)
	case framedChunks:
		if m.left == 0 {
			if err := e.nextChunk(); err != nil {
				return nil, e.cut(err)
			}
		}
	}
	if m.left == 0 {
		return nil, io.EOF
	}
	data, err := e.some(int(min(int64(n), m.left)))
	m.left -= int64(len(data))
	if err == nil && m.kind == framedChunks && m.left == 0 {
		err = e.expectText("\r\n")
	}
	if err != nil {
		return data, e.cut(err)
	}
	return data, nil
}

// nextChunk reads a chunk's head; of the last one, the trailer section too. No
// extension is accepted: a proxy has no business passing one on.
func (e *end) nextChunk() error {
	line, err := e.until("\r\n")
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(string(line), "\r\n"), 16, 64)
	if err != nil {
		return fmt.Errorf("%q is not a chunk size alone", line)
	}
	if n > 0 {
		e.message.left = n
		return nil
	}
	e.message.kind = framedNone
	for {
		line, err := e.until("\r\n")
		if err != nil {
			return err
		}
		if string(line) == "\r\n" {
			return nil
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\r\n"), ": ")
		e.message.trailers = append(e.message.trailers, field{name, value})
	}
}

func (e *end) expectText(text string) error {
	got, err := e.exactly(len(text))
	if err == nil && string(got) != text {
		err = fmt.Errorf("%q came where %q belongs", got, text)
	}
	return err
}

// cut notes that the connection ended within a message.
func (e *end) cut(err error) error {
	e.mu.Lock()
	over := e.err != nil && len(e.in) == 0
	e.mu.Unlock()
	if over {
		e.message.framingCut = true
		return errCut
	}
	return err
}

var errCut = errors.New("the connection ended in the middle of the message")

// all reads the content to its end.
func (e *end) all() ([]byte, error) {
	var text []byte
	for {
		data, err := e.content(heldBytes)
		text = append(text, data...)
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return text, err
		}
	}
}
