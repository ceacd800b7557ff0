package http1

import "github.com/weirproxy/weir/internal/exchange"

// BodyKind says how the content of a message is delimited (RFC 9112 §6).
type BodyKind uint8

// The ways to delimit content.
const (
	// BodyNone: there is no content; Content-Length may say 0, or what a
	// response to GET would have.
	BodyNone BodyKind = iota
	// BodyLength: the content has as many bytes as Content-Length says, one at
	// least.
	BodyLength
	// BodyChunked: the content comes in chunks, and trailer fields after it.
	BodyChunked
	// BodyUntilClose: the content ends with the connection. Only responses.
	BodyUntilClose
)

// Framing says how the content that follows a head is delimited, and whether
// the connection outlives the message.
type Framing struct {
	Kind BodyKind
	// Length is the number of bytes of BodyLength, else 0.
	Length int64
	// KeepAlive says that the sender of the message keeps the connection open
	// after it, as far as it goes by its head.
	KeepAlive bool
}

// ForClient returns how a response framed as f reaches a client of that minor
// version: HTTP/1.0 knows no chunks (RFC 9112 §6.1), so that only closing the
// connection delimits what has no length.
func (f Framing) ForClient(minor uint8) Framing {
	if f.Kind == BodyChunked && minor == 0 {
		f.Kind = BodyUntilClose
	}
	if f.Kind == BodyUntilClose && minor > 0 {
		f.Kind = BodyChunked
	}
	return f
}

// contentLengthOf is the Length of a message that is framed so.
func (f Framing) contentLengthOf() int64 {
	switch f.Kind {
	case BodyNone, BodyLength:
		return f.Length
	default:
		return exchange.LengthUnknown
	}
}

// lengthFraming returns the framing of content of n bytes.
func lengthFraming(n int64) Framing {
	if n == 0 {
		return Framing{Kind: BodyNone}
	}
	return Framing{Kind: BodyLength, Length: n}
}
