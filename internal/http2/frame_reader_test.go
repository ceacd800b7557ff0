package http2

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrameReader_ReadsFramesHoweverTheyArrive(t *testing.T) {
	var wire []byte
	sizes := []int{0, 1, 100, smallInput - frameHead, smallInput, 3, maxFrame, 0, maxFrame, maxFrame, maxFrame, maxFrame, 7}
	for i, n := range sizes {
		wire = appendFrame(wire, frameData, 0, uint32(i), bytes.Repeat([]byte{byte('a' + i)}, n))
	}
	for name, in := range map[string]io.Reader{
		"all that there is room for": bytes.NewReader(wire),
		"byte by byte":               iotest.OneByteReader(bytes.NewReader(wire)),
		"by halves":                  iotest.HalfReader(bytes.NewReader(wire)),
		"the end with the last byte": iotest.DataErrReader(bytes.NewReader(wire)),
	} {
		r := newFrameReader(in)
		var f frame
		for i, n := range sizes {
			if i%2 == 1 {
				r.rest()
			}
			err := r.next(&f)
			if err != nil || f.stream != uint32(i) || string(f.payload) != strings.Repeat(string(rune('a'+i)), n) {
				t.Fatalf("%s: frame %d of %d bytes came as one of %d bytes on stream %d (%v)", name, i, n, len(f.payload), f.stream, err)
			}
		}
		if err := r.next(&f); err != io.EOF {
			t.Errorf("%s: behind the last frame comes %v, want the end", name, err)
		}
	}
}

func TestFrameReader_GivesMemoryBackWhenItRests(t *testing.T) {
	wire := appendFrame(nil, frameData, 0, 1, make([]byte, maxFrame))
	wire = appendFrame(wire, frameData, 0, 3, []byte("next"))
	r := newFrameReader(bytes.NewReader(wire))
	var f frame
	if err := r.next(&f); err != nil || len(r.buf) != largeInput {
		t.Fatalf("the longest frame is read into %d bytes (%v), want %d", len(r.buf), err, largeInput)
	}
	r.rest()
	if len(r.buf) != smallInput || r.large != nil {
		t.Errorf("a reader at rest has %d bytes, want %d", len(r.buf), smallInput)
	}
	if err := r.next(&f); err != nil || string(f.payload) != "next" {
		t.Errorf("what had been read comes as %q (%v)", f.payload, err)
	}
}

func TestFrameReader_RefusesALongFrameUnread(t *testing.T) {
	r := newFrameReader(bytes.NewReader(appendFrameHead(nil, maxFrame+1, frameData, 0, 1)))
	var f frame
	if err, ok := r.next(&f).(*connError); !ok || err.code != errFrameSize {
		t.Errorf("a frame that is too long ends with %v, want FRAME_SIZE_ERROR", err)
	}
}
