package observe

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// Format is how lines are written.
type Format string

// The formats.
const (
	FormatJSON Format = "json"
	FormatText Format = "text"
	FormatOff  Format = "off"
)

// LogOptions say what becomes of the access log.
type LogOptions struct {
	// Format is json if empty.
	Format Format
	// Path is a file that is appended to, or stdout, or stderr. If empty,
	// stdout.
	Path string
	// Writer takes the lines instead of Path if not nil. It must be comparable.
	Writer io.Writer
	// Fields are further members of every line, in this order.
	Fields []LogField
}

// same reports whether both say the same. Fields can do anything, so that only none are
// the same as none.
func (o LogOptions) same(other LogOptions) bool {
	return o.Format == other.Format && o.Path == other.Path && o.Writer == other.Writer && len(o.Fields)+len(other.Fields) == 0
}

func (o LogOptions) withDefaults() LogOptions {
	if o.Format == "" {
		o.Format = FormatJSON
	}
	if o.Path == "" {
		o.Path = "stdout"
	}
	return o
}

// A sink is where lines are written: a file of its own, or somebody's writer. It
// belongs to one goroutine.
type sink struct {
	w    io.Writer
	file *os.File // nil unless it is opened by path
	path string
	gap  func(lines uint64) []byte
	// failing is set from the first write that fails to the next that does
	// not, so that trouble is reported once.
	failing bool
	// torn says that the last write stopped in the middle of a line.
	torn bool
}

func openSink(o LogOptions) (*sink, error) {
	s := &sink{w: o.Writer, path: o.Path}
	switch o.Format {
	case FormatJSON:
		s.gap = jsonGap
	case FormatText:
		s.gap = textGap
	default:
		return nil, fmt.Errorf("format %q: want json, text or off", o.Format)
	}
	switch {
	case o.Writer != nil:
	case o.Path == "stdout":
		s.w = os.Stdout
	case o.Path == "stderr":
		s.w = os.Stderr
	default:
		return s, s.reopen()
	}
	return s, nil
}

// reopen opens the file by its path, and lets go of the one that was open.
func (s *sink) reopen() error {
	if s.file == nil && s.w != nil {
		return nil
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	s.close()
	s.w, s.file, s.torn = file, file, false
	return nil
}

func (s *sink) close() {
	if s.file != nil {
		s.file.Close() // nothing is buffered in it that could still fail
	}
}

// write writes whole lines, and returns how many of them did not get there.
func (s *sink) write(lines []byte, logger *slog.Logger) (lost int) {
	if s.torn {
		// The fragment that a full disk left becomes a line of its own, so
		// that it spoils no other.
		if _, err := s.w.Write([]byte{'\n'}); err != nil {
			return bytes.Count(lines, []byte{'\n'})
		}
		s.torn = false
	}
	n, err := s.w.Write(lines)
	if err == nil {
		if s.failing {
			s.failing = false
			logger.Info("access log is being written again", "path", s.path)
		}
		return 0
	}
	if !s.failing {
		s.failing = true
		logger.Error("access log cannot be written; lines are dropped and counted", "path", s.path, "error", err)
	}
	s.torn = n > 0 && lines[n-1] != '\n'
	return bytes.Count(lines[n:], []byte{'\n'})
}

// jsonGap is the line that stands for lines that were dropped.
func jsonGap(lines uint64) []byte {
	return fmt.Appendf(nil, `{"time":%q,"event":"lines_dropped","lines":%d}`+"\n", gapTime(), lines)
}

func textGap(lines uint64) []byte {
	return fmt.Appendf(nil, "%s - - %d lines of the access log were dropped\n", gapTime(), lines)
}

func gapTime() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
