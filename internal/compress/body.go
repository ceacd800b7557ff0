package compress

import (
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Body is another one's content, compressed. It implements exchange.Body, and is
// released when the response was sent.
type Body struct {
	encoders  *Encoders
	algorithm algorithm
	encoder   encoder
	source    exchange.Body
	rest      []byte // what the source has handed out and is not encoded yet
	out       output
	held      bool // the encoder has content that it has not written
	end       error
}

// output is what the encoder has written.
type output []byte

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	*o = append(*o, p...)
	return len(p), nil
}

const (
	// handOut is how much is handed out at once while there is more.
	handOut = 16 << 10
	// step bounds how much is encoded at once, and thereby what comes of it.
	step = 32 << 10
	// keptOut is how much memory for output stays with an encoder.
	keptOut = 64 << 10
)

// Next implements exchange.Body.
func (b *Body) Next(wait bool) ([]byte, error) {
	b.out = b.out[:0]
	for len(b.out) < handOut {
		switch {
		case len(b.rest) > 0:
			b.encode()
		case b.end != nil && len(b.out) > 0:
			return b.out, nil
		case b.end != nil:
			return nil, b.end
		case !b.read(wait):
			return b.handed(), nil
		}
	}
	return b.out, nil
}

func (b *Body) handed() []byte {
	if len(b.out) == 0 {
		return nil
	}
	return b.out
}

// encode encodes a step of what was read.
func (b *Body) encode() {
	n := min(len(b.rest), step)
	b.check(b.encoder.Write(b.rest[:n]))
	b.rest, b.held = b.rest[n:], true
}

// read reads from the source; false if that has nothing more at the moment, and
// something can be handed out or nobody waits.
func (b *Body) read(wait bool) bool {
	data, err := b.source.Next(false)
	if len(data) == 0 && err == nil {
		b.flush()
		if len(b.out) > 0 || !wait {
			return false
		}
		data, err = b.source.Next(true)
	}
	b.rest = data
	switch {
	case err == io.EOF:
		b.check(0, b.encoder.Close())
		if b.end == nil {
			b.end = err
		}
	case err != nil:
		b.flush() // what has arrived is passed on
		b.end = err
	}
	return true
}

// flush has everything that was encoded be in out.
func (b *Body) flush() {
	if b.held {
		b.check(0, b.encoder.Flush())
		b.held = false
	}
}

// check notes that an encoder failed, which none has a reason to.
func (b *Body) check(_ int, err error) {
	if err != nil && b.end == nil {
		b.rest, b.end = nil, exchange.Fail(exchange.CodeResponseIncomplete, "the content could not be compressed", err)
	}
}

// Trailer implements exchange.Body. Digests are of other content.
func (b *Body) Trailer() exchange.Header {
	trailer := b.source.Trailer()
	for i := range trailer {
		if isDigest(trailer[i].Name) {
			trailer[i].Skip = true
		}
	}
	return trailer
}

// Release gives the encoder back; the body is of no more use. A nil Body has none.
func (b *Body) Release() {
	if b == nil {
		return
	}
	b.source, b.rest, b.end, b.held = nil, nil, nil, false
	if cap(b.out) > keptOut {
		b.out = nil
	}
	b.encoders.give(b)
}
