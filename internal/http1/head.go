package http1

import "bytes"

// Limits bounds heads and trailer sections. A limit of 0 is none.
type Limits struct {
	// HeaderBytes is the greatest length of a whole head, in bytes.
	HeaderBytes int
	// HeaderCount is the greatest number of field lines.
	HeaderCount int
}

// HeadEnd looks for the end of a head in buf and returns the length of the head
// including its last empty line, or 0 if it is incomplete. Bytes before from
// were searched by an earlier call.
//
// Lines that end with a bare line feed end a head too: the parser refuses it
// then at once, where waiting for CR LF would wait for ever.
func HeadEnd(buf []byte, from int) int {
	i := max(from-2, 0) // an earlier call saw the LF but not what follows
	for {
		n := bytes.IndexByte(buf[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		switch rest := buf[i:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2
		}
	}
}

// SkipEmptyLine returns how many bytes to skip at the start of what should be a
// request: 2 for one empty line, else 0. "A server that is expecting to receive
// and parse a request-line SHOULD ignore at least one empty line (CRLF)
// received prior to the request-line." (RFC 9112 §2.2) Who calls it once a
// request ignores one and no more.
func SkipEmptyLine(buf []byte) int {
	if len(buf) >= 2 && buf[0] == '\r' && buf[1] == '\n' {
		return 2
	}
	return 0
}

// CheckStart refuses what can never become a request, as soon as its first
// bytes are there: somebody who speaks another protocol would wait for an
// answer to what he takes for a whole message. It is for what remains after
// [SkipEmptyLine], and for as long as the head is incomplete.
func CheckStart(buf []byte) error {
	if len(buf) == 0 || len(buf) == 1 && buf[0] == '\r' {
		return nil
	}
	switch {
	case buf[0] == 0x16: // TLS record type handshake, RFC 8446 §5.1
		return requestFailures[faultTLS]
	case !charToken.has(buf[0]):
		return requestFailures[faultStart]
	case bytes.HasPrefix(buf, http2Preface): // RFC 9113 §3.4
		return requestFailures[faultHTTP2]
	default:
		return nil
	}
}

var http2Preface = []byte("PRI * HTTP/2")

// RequestTooLarge returns the failure for a request whose head, incomplete in
// buf, has outgrown the limits: 414 if it is the request line alone, else 431.
func RequestTooLarge(buf []byte, lim *Limits) error {
	return requestFailures[tooLarge(buf, lim)]
}

// ResponseTooLarge returns the failure for a response whose head has outgrown
// the limits before its end.
func ResponseTooLarge() error { return responseFailures[faultTooLarge] }

func tooLarge(head []byte, lim *Limits) fault {
	line := head
	if len(line) > lim.HeaderBytes {
		line = line[:lim.HeaderBytes]
	}
	if bytes.IndexByte(line, '\n') < 0 {
		return faultLineTooLong
	}
	return faultTooLarge
}
