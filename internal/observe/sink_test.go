package observe

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A diskWriter is full after some bytes.
type diskWriter struct {
	memory
	room int
}

func (d *diskWriter) Write(p []byte) (int, error) {
	if len(p) <= d.room {
		d.room -= len(p)
		return d.memory.Write(p)
	}
	n, _ := d.memory.Write(p[:d.room])
	d.room = 0
	return n, errors.New("no space left on device")
}

func TestSink_AFullDiskIsReportedOnceAndSpoilsNoOtherLine(t *testing.T) {
	var said bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&said, nil))
	d := &diskWriter{room: 10}
	s, err := openSink(LogOptions{Writer: d}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if lost := s.write([]byte("first\nsecond\nthird\n"), logger); lost != 2 {
		t.Errorf("%d lines lost, want 2", lost)
	}
	if lost := s.write([]byte("fourth\n"), logger); lost != 1 {
		t.Errorf("%d lines lost while the disk is full, want 1", lost)
	}
	d.room = 1000
	if lost := s.write([]byte("fifth\n"), logger); lost != 0 {
		t.Errorf("%d lines lost when there is room again, want 0", lost)
	}
	if got, want := d.String(), "first\nseco\nfifth\n"; got != want {
		t.Errorf("the file holds %q, want %q", got, want)
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 1 {
		t.Errorf("reported %d times, want once:\n%s", n, said.String())
	}
	if n := strings.Count(said.String(), "being written again"); n != 1 {
		t.Errorf("recovery reported %d times, want once:\n%s", n, said.String())
	}
}
