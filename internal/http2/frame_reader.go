package http2

import (
	"encoding/binary"
	"io"
	"sync"
)

const (
	// smallInput is the memory that a connection reads into while it is idle,
	// largeInput while more arrives at a time: the frames of many answers come with
	// one call of the system. The longest frame fits.
	smallInput = 4 << 10
	largeInput = 64 << 10
)

// largeInputs are not in use.
var largeInputs = sync.Pool{New: func() any { return new([largeInput]byte) }}

// A frameReader reads frames.
type frameReader struct {
	in    io.Reader
	buf   []byte // small, or large
	small []byte
	large *[largeInput]byte // nil while buf is small
	// What was read and not handed out is buf[from:to].
	from, to int
}

func newFrameReader(in io.Reader) *frameReader {
	small := make([]byte, smallInput)
	return &frameReader{in: in, buf: small, small: small}
}

// next reads a frame. Its error is a *connError, or why there is no more.
func (r *frameReader) next(f *frame) error {
	if err := r.fill(frameHead); err != nil {
		return err
	}
	h := r.buf[r.from:]
	length := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	f.kind, f.flags = frameKind(h[3]), h[4]
	f.stream = binary.BigEndian.Uint32(h[5:]) &^ topBit
	if length > maxFrame {
		return fatal(errFrameSize, "a frame is longer than allowed")
	}
	if err := r.fill(frameHead + length); err != nil {
		return err
	}
	f.payload = r.buf[r.from+frameHead : r.from+frameHead+length]
	r.from += frameHead + length
	return nil
}

// fill reads until there are n bytes that were not handed out.
func (r *frameReader) fill(n int) error {
	for r.to-r.from < n {
		r.makeRoom(n)
		got, err := r.in.Read(r.buf[r.to:])
		r.to += got
		if err != nil && r.to-r.from < n {
			return err
		}
	}
	return nil
}

// makeRoom makes room for n bytes, and as many more as it can. Memory that a read
// has filled is taken to be too small. What has to be moved is a part of one frame.
func (r *frameReader) makeRoom(n int) {
	b := r.buf
	if r.large == nil && (n > len(b) || r.to == len(b)) {
		r.large = largeInputs.Get().(*[largeInput]byte)
		b = r.large[:]
	}
	r.moveTo(b)
}

// moveTo keeps in b what was read.
func (r *frameReader) moveTo(b []byte) {
	r.to = copy(b, r.buf[r.from:r.to])
	r.from, r.buf = 0, b
}

// rest gives memory back while nothing is under way. What was handed out is not
// valid any more.
func (r *frameReader) rest() {
	if r.large == nil || r.to-r.from > len(r.small) {
		return
	}
	r.moveTo(r.small)
	largeInputs.Put(r.large)
	r.large = nil
}
