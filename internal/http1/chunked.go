package http1

import "math"

// Bounds of chunk framing. Content costs its sender a byte a byte; these keep
// what is not content from costing us more than it costs him.
const (
	// maxChunkHead is the greatest length of a chunk's size and extensions.
	maxChunkHead = 4000
	// maxSizeDigits is the greatest number of hexadecimal digits of a size,
	// leading zeros included: one more could overflow.
	maxSizeDigits = 15
	// maxOverhead is how many bytes of framing there may be beyond a fair
	// share: 16 bytes and twice its content for each chunk.
	maxOverhead = 16 << 10
)

// chunkState is what comes next in chunked content (RFC 9112 §7.1):
//
//	chunk   = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkSpace
	chunkExtension
	chunkHeadLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer
)

// chunkCount is what the bounds are kept by.
type chunkCount struct {
	// head is the length of the present chunk's head as far as it came, digits
	// that of its size.
	head, digits int
	// overhead is framing beyond the fair share.
	overhead int64
	// content is the sum of all chunk sizes.
	content int64
}

// decodeChunked takes chunk data from the front of buf, or nil if there is only
// framing. Either way everything before and including it is handed out.
func (b *BodyReader) decodeChunked(buf []byte) ([]byte, fault) {
	for i := 0; i < len(buf); i++ {
		switch b.state {
		case chunkData:
			n := int(min(b.remaining, int64(len(buf)-i)))
			if b.remaining -= int64(n); b.remaining == 0 {
				b.state = chunkDataCR
			}
			b.handed = i + n
			return buf[i : i+n : i+n], faultNone
		case chunkTrailer:
			n, done, f := b.trailer.read(buf[i:], &b.limits)
			b.done = done
			b.handed = i + n
			return nil, f
		default:
			if f := b.chunkFraming(buf[i]); f != faultNone {
				return nil, f
			}
		}
	}
	b.handed = len(buf)
	return nil, faultNone
}

// chunkFraming takes one byte of framing. Byte by byte there is no line to
// collect, and no way to split the input makes a difference.
func (b *BodyReader) chunkFraming(c byte) fault {
	switch b.state {
	case chunkDataCR, chunkDataLF:
		return b.chunkEnd(c)
	case chunkHeadLF:
		if c != '\n' {
			return faultBareCR
		}
		return b.startChunk()
	}
	if b.chunks.head++; b.chunks.head > maxChunkHead {
		return faultChunkHeadLong
	}
	if b.state == chunkSize {
		if digit, ok := hexDigit(c); ok {
			if b.chunks.digits++; b.chunks.digits > maxSizeDigits {
				return faultChunkSizeLarge
			}
			b.remaining = b.remaining<<4 | int64(digit)
			return faultNone
		}
		if b.chunks.digits == 0 {
			return faultChunkSize
		}
	}
	return b.chunkExtension(c)
}

// chunkExtension takes a byte of what follows the size. Extensions are read over,
// as "a recipient MUST ignore unrecognized chunk extensions" (RFC 9112 §7.1.1);
// a quoted string in one cannot hold CR or LF, so nothing in them needs parsing
// to find their end.
//
//	chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
//
// White space right after the size is let pass in responses only: servers that
// reserve a fixed width for the size pad it so, while endpoints (net/http,
// llhttp) disagree on it in requests.
func (b *BodyReader) chunkExtension(c byte) fault {
	switch {
	case c == '\n':
		return faultBareLF // Go's CVE-2025-22871
	case c == '\r':
		b.state = chunkHeadLF
	case c == ';':
		b.state = chunkExtension
	case isSpace(c) && b.state != chunkExtension && b.response:
		b.state = chunkSpace
	case b.state != chunkExtension || c < 0x20 && c != '\t' || c == 0x7f:
		return faultChunkHead
	}
	return faultNone
}

// startChunk ends a chunk's head.
func (b *BodyReader) startChunk() fault {
	count := &b.chunks
	if b.remaining > math.MaxInt64-count.content || b.tooLarge(count.content+b.remaining) {
		return faultContentTooLarge
	}
	count.content += b.remaining
	// Twice a size of 15 digits does not overflow. head has the CR of its line.
	const lineEnds = len("\n\r\n")
	count.overhead = max(0, count.overhead+int64(count.head+lineEnds)-16-2*b.remaining)
	if count.overhead > maxOverhead {
		return faultChunkOverhead
	}
	count.head, count.digits = 0, 0
	if b.state = chunkData; b.remaining == 0 {
		b.state = chunkTrailer
	}
	return faultNone
}

// chunkEnd takes a byte of the line end after a chunk's data.
func (b *BodyReader) chunkEnd(c byte) fault {
	switch {
	case b.state == chunkDataCR && c == '\r':
		b.state = chunkDataLF
	case b.state == chunkDataLF && c == '\n':
		b.state = chunkSize
	default:
		return faultChunkEnd
	}
	return faultNone
}

func hexDigit(c byte) (digit byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	default:
		return 0, false
	}
}
