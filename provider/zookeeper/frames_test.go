package zookeeper

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// A stream is a connection from which bytes are read.
type stream struct {
	net.Conn
	r io.Reader
}

func (s stream) Read(b []byte) (int, error) { return s.r.Read(b) }

// framed is messages of these sizes.
func framed(sizes ...int) (b []byte) {
	for _, n := range sizes {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		b = append(b, bytes.Repeat([]byte{0xff}, min(n, 1<<20))...)
	}
	return b
}

func TestFrames_PassOnWhatIsWellFormed(t *testing.T) {
	want := framed(16, 17, 100_000, 16)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(want), "byte by byte": iotest.OneByteReader(bytes.NewReader(want)), "by halves": iotest.HalfReader(bytes.NewReader(want)),
	} {
		got, err := io.ReadAll(newFrames(stream{r: r}))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: of %d bytes %d are read: %v", name, len(want), len(got), err)
		}
	}
}

func TestFrames_EndWhereNobodySpeaksZooKeeper(t *testing.T) {
	for name, b := range map[string][]byte{
		"a web server": []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"too short":    framed(16, 15),
		"empty":        framed(0),
		"too long":     framed(maxFrame + 1),
	} {
		f := newFrames(stream{r: iotest.OneByteReader(bytes.NewReader(b))})
		if _, err := io.ReadAll(f); err == nil || !strings.Contains(err.Error(), "no ZooKeeper server") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if n, err := f.Read(make([]byte, 10)); n != 0 || err == nil {
			t.Errorf("%s: after the error %d bytes are read (%v)", name, n, err)
		}
	}
}

// FuzzFrames has the check agree with itself, however the bytes are cut.
func FuzzFrames(f *testing.F) {
	f.Add(framed(16, 20), 3)
	f.Add([]byte("HTTP/1.1 200 OK"), 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		whole := newFrames(nil).check(b)
		pieces, rest := newFrames(nil), b
		var err error
		for n := max(1, cut&0xff); len(rest) > 0 && err == nil; rest = rest[min(n, len(rest)):] {
			err = pieces.check(rest[:min(n, len(rest))])
		}
		if (whole == nil) != (err == nil) {
			t.Errorf("%q at once: %v; %d at a time: %v", b, whole, cut, err)
		}
	})
}
