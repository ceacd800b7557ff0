package http1

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// wire writes a head the way one reads it in a test: lines end with "\n" there
// and with CR LF on the wire. Use "\\n" and "\\r" for the bytes themselves.
func wire(text string) string {
	text = strings.ReplaceAll(text, "\n", "\r\n")
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(text)
}

// wantFault fails the test unless err is the shared failure of that fault.
func wantFault(t *testing.T, err error, all *failures, want fault) {
	t.Helper()
	failure, ok := errors.AsType[*exchange.Failure](err)
	if !ok {
		t.Fatalf("error is %v, want a Failure that says %q", err, faultDetails[want])
	}
	if failure != all[want] {
		t.Fatalf("failed with %s %q, want %s %q", failure.Code.Name, failure.Detail, all[want].Code.Name, all[want].Detail)
	}
}

// framingText writes a framing as "none", "5 bytes", "chunked" or "until close",
// and ", close" if the connection does not persist.
func framingText(f Framing) string {
	text := map[BodyKind]string{BodyNone: "none", BodyChunked: "chunked", BodyUntilClose: "until close"}[f.Kind]
	if f.Kind == BodyLength {
		text = fmt.Sprintf("%d bytes", f.Length)
	}
	if !f.KeepAlive {
		text += ", close"
	}
	return text
}

// headerText writes fields as "name=value", those marked Skip in parentheses.
func headerText(header exchange.Header) string {
	var lines []string
	for _, field := range header {
		line := fmt.Sprintf("%s=%s", field.Name, field.Value)
		if field.Skip {
			line = "(" + line + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, " ")
}

// skipped returns the names of the fields marked Skip.
func skipped(header exchange.Header) string {
	var names []string
	for _, field := range header {
		if field.Skip {
			names = append(names, string(field.Name))
		}
	}
	return strings.Join(names, " ")
}

// dripSource is a source that receives its bytes as many at a time as step says,
// each time into a new buffer, and overwrites the old one: nobody may look at
// that any more.
type dripSource struct {
	buf, rest []byte
	step      int
	fills     int
	end       error // after the last byte; io.EOF if nil
}

func (s *dripSource) Buffered() []byte { return s.buf }
func (s *dripSource) Consume(n int)    { s.buf = s.buf[n:] }

func (s *dripSource) Fill() error {
	s.fills++
	if len(s.rest) == 0 {
		if s.end != nil {
			return s.end
		}
		return io.EOF
	}
	n := min(s.step, len(s.rest))
	old := s.buf
	s.buf = append(append([]byte(nil), old...), s.rest[:n]...)
	for i := range old {
		old[i] = 0xdb
	}
	s.rest = s.rest[n:]
	return nil
}

// readAll reads a body to its end, and returns the content.
func readAll(b exchange.Body) (content []byte, err error) {
	for {
		data, err := b.Next(true)
		content = append(content, data...)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return content, err
		}
		if len(data) == 0 {
			return content, errors.New("Next(true) returned neither content nor an error")
		}
	}
}
