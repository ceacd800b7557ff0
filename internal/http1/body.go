package http1

import (
	"errors"
	"io"

	"github.com/weirproxy/weir/internal/exchange"
)

// Source is where a body reader takes its bytes: a connection and its buffer.
type Source interface {
	// Buffered returns the bytes that were received and not yet consumed.
	Buffered() []byte
	// Consume removes n bytes from the front of Buffered. They stay in place
	// until the next Fill.
	Consume(n int)
	// Fill waits for at least one more byte, and returns io.EOF at the end of
	// the connection. It may move or replace the buffer: slices of it are dead
	// then. A Failure is passed on as it is, any other error wrapped in one.
	Fill() error
}

// ErrInterrupted is returned by a Fill that was made to stop waiting. It is
// passed on and is not final: the content can be read on later.
var ErrInterrupted = errors.New("interrupted")

// BodyOptions says how a BodyReader reads.
type BodyOptions struct {
	// Limits bounds the trailer section. If nil, nothing does.
	Limits *Limits
	// MaxContent bounds the content, in bytes. 0 is no bound.
	MaxContent int64
	// Response says that the content is a response's: failures are the
	// endpoint's then, else the client's.
	Response bool
}

// A BodyReader decodes the content of one message from a Source; it is an
// [exchange.Body]. The zero value is a message without content; Reset makes it
// ready for another, and keeps what memory it has.
//
// Content is handed out as slices of the source's buffer, and consumed by the
// call after. Whoever reads from the source past the reader, splice(2) say, does
// so once Next(false) has returned nothing, and accounts for it by Take.
//
// It belongs to one goroutine at a time.
type BodyReader struct {
	src      Source
	kind     BodyKind
	state    chunkState
	response bool
	done     bool
	// handed is how many bytes at the front of the source's buffer are done
	// with by the time of the next call.
	handed int
	// remaining is what has not been handed out of the content (BodyLength) or
	// of the chunk.
	remaining int64
	limits    Limits
	max       int64
	chunks    chunkCount
	trailer   trailerReader
	err       error
}

// Reset makes b read the content that f frames from src.
func (b *BodyReader) Reset(src Source, f Framing, o BodyOptions) {
	trailer := b.trailer.reset()
	*b = BodyReader{
		src: src, kind: f.Kind, remaining: f.Length, max: o.MaxContent,
		response: o.Response, trailer: trailer,
	}
	if o.Limits != nil {
		b.limits = *o.Limits
	}
	b.done = f.Kind == BodyNone || f.Kind == BodyLength && f.Length == 0
	if f.Kind == BodyLength && b.tooLarge(f.Length) {
		b.err = b.failure(faultContentTooLarge)
	}
}

// Next returns content that has not been returned yet; see [exchange.Body]. It
// never calls Fill unless wait is true. Errors are of type *[exchange.Failure].
func (b *BodyReader) Next(wait bool) ([]byte, error) {
	for {
		b.release()
		switch {
		case b.err != nil:
			return nil, b.err
		case b.done || b.kind == BodyNone:
			return nil, io.EOF
		}
		if buf := b.src.Buffered(); len(buf) > 0 {
			if data := b.decode(buf); len(data) > 0 {
				return data, nil
			}
			if b.err != nil || b.done {
				continue
			}
			b.release() // framing only
		}
		if !wait {
			return nil, nil
		}
		if err := b.src.Fill(); errors.Is(err, ErrInterrupted) {
			return nil, err
		} else if err != nil {
			b.end(err)
		}
	}
}

// decode takes content from the front of buf, and sets handed, done and err.
func (b *BodyReader) decode(buf []byte) []byte {
	switch b.kind {
	case BodyChunked:
		data, f := b.decodeChunked(buf)
		if f != faultNone {
			b.err = b.failure(f)
			return nil
		}
		return data
	case BodyLength:
		n := int(min(b.remaining, int64(len(buf))))
		b.remaining -= int64(n)
		b.done = b.remaining == 0
		b.handed = n
		return buf[:n:n]
	default: // BodyUntilClose
		b.handed = len(buf)
		return buf
	}
}

// release consumes what was handed out.
func (b *BodyReader) release() {
	if b.handed > 0 {
		b.src.Consume(b.handed)
		b.handed = 0
	}
}

// end notes how the source ended. A Failure that was caused by io.EOF is not the
// end of content, and may not look like one to errors.Is either.
func (b *BodyReader) end(err error) {
	if failure, ok := errors.AsType[*exchange.Failure](err); ok {
		if errors.Is(failure, io.EOF) {
			changed := *failure
			changed.Cause = io.ErrUnexpectedEOF
			failure = &changed
		}
		b.err = failure
		return
	}
	if errors.Is(err, io.EOF) {
		if b.done = b.kind == BodyUntilClose; !b.done {
			b.err = b.failure(faultClosed)
		}
		return
	}
	failure := *b.failure(faultSource) // the shared one has no cause
	failure.Cause = err
	b.err = &failure
}

func (b *BodyReader) tooLarge(n int64) bool { return b.max > 0 && n > b.max }

func (b *BodyReader) failure(f fault) *exchange.Failure {
	if b.response {
		return responseBodyFailures[f]
	}
	return requestBodyFailures[f]
}

// Trailer returns the trailer fields once Next has returned io.EOF, those that
// may not be passed on marked Skip. They are the reader's own memory, valid
// until Reset.
func (b *BodyReader) Trailer() exchange.Header {
	if !b.Done() {
		return nil
	}
	return b.trailer.header
}

// Done reports whether the whole message has been consumed, trailer section
// included: Next has returned io.EOF, or would without waiting.
func (b *BodyReader) Done() bool {
	return b.err == nil && (b.done || b.kind == BodyNone) && b.handed == 0
}

// Remaining returns how many bytes of content have not been handed out, if that
// is known: of content with a length.
func (b *BodyReader) Remaining() (n int64, known bool) {
	return b.remaining, b.kind == BodyLength || b.kind == BodyNone
}

// Take accounts for n bytes of content that were moved outside the reader, after
// everything that Next returned. The source's buffer must have been empty, and n
// no more than Remaining if that is known. It is for content with a length or
// until close.
func (b *BodyReader) Take(n int64) {
	b.release()
	if b.kind != BodyLength {
		return
	}
	if n > b.remaining {
		panic("http1: more content taken than there was")
	}
	b.remaining -= n
	b.done = b.remaining == 0
}
