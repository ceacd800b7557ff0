package http1

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

// trailerReader collects a trailer section (RFC 9112 §7.1.2). It copies, so that
// neither the size of the connection's buffer bounds the section nor its reuse
// ends the fields' lives; most messages have none and copy nothing.
type trailerReader struct {
	section []byte
	// line is where the line begins that section ends in.
	line   int
	header exchange.Header
}

// reset returns an empty reader with r's memory, unless it is much.
func (r *trailerReader) reset() trailerReader {
	const keep = 4 << 10
	if cap(r.section) > keep {
		return trailerReader{}
	}
	return trailerReader{section: r.section[:0], header: r.header[:0]}
}

// read takes bytes of the section from the front of buf, up to its end at most,
// and returns how many. Once done, the fields are in r.header.
func (r *trailerReader) read(buf []byte, lim *Limits) (n int, done bool, f fault) {
	for n < len(buf) {
		line := buf[n:]
		if lf := bytes.IndexByte(line, '\n'); lf >= 0 {
			line = line[:lf+1]
		}
		n += len(line)
		if lim.HeaderBytes > 0 && len(r.section)+len(line) > lim.HeaderBytes {
			return n, false, faultTooLarge
		}
		r.section = append(r.section, line...)
		if line[len(line)-1] != '\n' {
			continue
		}
		switch string(r.section[r.line:]) {
		case "\r\n":
			return n, true, r.parse(lim)
		case "\n":
			return n, false, faultBareLF
		}
		r.line = len(r.section)
	}
	return n, false, faultNone
}

func (r *trailerReader) parse(lim *Limits) fault {
	fs := fields{header: r.header[:0]}
	f := fs.parse(r.section, lim.HeaderCount)
	r.header = fs.header
	MarkTrailer(r.header)
	return f
}

// MarkTrailer marks the fields of a trailer section, whose IDs are set, that are
// not passed on.
func MarkTrailer(header exchange.Header) {
	for i := range header {
		field := &header[i]
		field.Skip = !allowedTrailer(field.Name, field.ID)
	}
}

// notInTrailer are the fields with an ID that are never passed on in a trailer
// section. "A sender MUST NOT generate a trailer section unless the sender knows
// the corresponding header field name's definition permits" (RFC 9110 §6.5.1);
// an endpoint that merges trailers into the header would let anybody set them:
//   - framing and routing: Content-Length, Transfer-Encoding, Trailer, Host, TE,
//     Connection, Keep-Alive, Proxy-Connection, Upgrade, Expect;
//   - content processing: Content-Type, Content-Encoding;
//   - what the proxy says about the client and the request: Forwarded,
//     X-Forwarded-*, X-Real-IP and X-Request-Id in any spelling, Traceparent;
//   - response control: Date.
var notInTrailer = hopByHop | framingFields | setOf(exchange.FieldTrailer, exchange.FieldExpect,
	exchange.FieldContentType, exchange.FieldContentEncoding,
	exchange.FieldXForwardedFor, exchange.FieldXForwardedProto, exchange.FieldXForwardedHost,
	exchange.FieldForwardedAlias, exchange.FieldForwarded, exchange.FieldXRequestID,
	exchange.FieldTraceparent, exchange.FieldDate)

// allowedTrailer reports whether a trailer field may be passed on: beside
// notInTrailer, what is for authentication, conditions, caching and control is
// not (RFC 9110 §6.5.1).
func allowedTrailer(name []byte, id exchange.FieldID) bool {
	if notInTrailer.has(id) {
		return false
	}
	for _, forbidden := range forbiddenTrailers {
		if foldToken(name, forbidden) {
			return false
		}
	}
	return len(name) < 3 || !foldToken(name[:3], "if-")
}

var forbiddenTrailers = [...]string{
	"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
	"cookie", "set-cookie",
	"content-range", "range", "max-forwards", "cache-control", "pragma",
	"age", "expires", "location", "retry-after", "vary", "warning",
}

// SkipNamed marks the fields of header that have the name of one of fields. A
// transport does it to a trailer section for the fields that it sets in the head:
// an endpoint that merges the two would take the client's.
func SkipNamed(header exchange.Header, fields []exchange.Field) {
	for i := range header {
		if named(fields, header[i].Name) {
			header[i].Skip = true
		}
	}
}
