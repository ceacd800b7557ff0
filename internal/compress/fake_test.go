package compress

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/weirproxy/weir/internal/exchange"
)

// A script is a source: pieces as they arrive, an empty one where nothing more is
// there until somebody waits, and how it ends.
type script struct {
	pieces  []string
	end     error // nil: io.EOF
	trailer exchange.Header
}

// Next implements exchange.Body.
func (s *script) Next(wait bool) ([]byte, error) {
	for len(s.pieces) > 0 {
		first := s.pieces[0]
		if first == "" && !wait {
			return nil, nil
		}
		s.pieces = s.pieces[1:]
		if first != "" {
			return []byte(first), nil
		}
	}
	if s.end != nil {
		return nil, s.end
	}
	return nil, io.EOF
}

// Trailer implements exchange.Body.
func (s *script) Trailer() exchange.Header { return s.trailer }

func fields(lines ...string) (h exchange.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		f := exchange.Field{Name: []byte(name), Value: []byte(value)}
		switch name {
		case "Content-Type":
			f.ID = exchange.FieldContentType
		case "Content-Length":
			f.ID = exchange.FieldContentLength
		case "Content-Encoding":
			f.ID = exchange.FieldContentEncoding
		}
		h = append(h, f)
	}
	return h
}

// asking is a request with these fields.
func asking(lines ...string) *exchange.Exchange {
	x := &exchange.Exchange{Scratch: make([]byte, 0, 256)}
	x.Request = exchange.Request{Method: exchange.MethodGet, Minor: 1, Header: fields(lines...)}
	return x
}

func policy(t testing.TB, o Options) *Policy {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drain reads a body as a Responder does, and returns what it handed out, one
// string for what is sent in one write.
func drain(b exchange.Body) (writes []string, err error) {
	var out []byte
	for {
		data, err := b.Next(false)
		if data == nil && err == nil {
			if len(out) > 0 {
				writes, out = append(writes, string(out)), nil
			}
			data, err = b.Next(true)
		}
		if err != nil {
			if len(out) > 0 {
				writes = append(writes, string(out))
			}
			return writes, err
		}
		out = append(out, data...)
	}
}

// decode returns what a client makes of content in a coding.
func decode(t testing.TB, coding, content string) (string, error) {
	t.Helper()
	var r io.Reader
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "zstd":
		z, err := zstd.NewReader(strings.NewReader(content), zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	default:
		t.Fatalf("the content has coding %q", coding)
	}
	var all bytes.Buffer
	_, err := io.Copy(&all, r)
	return all.String(), err
}

// sent returns the fields that a client sees.
func sent(h exchange.Header) (list []string) {
	for _, f := range h {
		if !f.Skip {
			list = append(list, string(f.Name)+": "+string(f.Value))
		}
	}
	return list
}
