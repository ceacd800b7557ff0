package observe

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirproxy/weir/internal/exchange"
)

// appendJSONLine appends an exchange as a JSON object. Members keep their order;
// docs/reference/access-log.md promises it.
func appendJSONLine(dst []byte, c *clock, x *exchange.Exchange) []byte {
	dst = append(dst, `{"time":"`...)
	dst = c.append(dst, x.Start+x.Outcome.Duration)
	dst = append(dst, `","event_id":"`...)
	dst = appendEscaped(dst, x.ID)
	dst = appendOptional(dst, `","client_request_id":"`, x.ClientRequestID)
	dst = append(dst, `","client":"`...)
	dst = appendAddr(dst, x.Client.Addr)
	if peer := x.Client.Peer.Addr(); peer.Unmap() != x.Client.Addr.Unmap() {
		dst = append(dst, `","peer":"`...)
		dst = appendAddr(dst, peer)
	}
	dst = append(dst, `","listener":"`...)
	dst = appendEscaped(dst, []byte(x.Client.Listener)) // not copied: the compiler sees that nobody writes to it
	dst = appendJSONRequest(dst, &x.Request)
	dst = appendJSONOutcome(dst, &x.Outcome)
	dst = appendJSONFields(dst, x.Request.Header)
	if x.Client.TLS {
		return append(dst, `,"tls":true}`+"\n"...)
	}
	return append(dst, `,"tls":false}`+"\n"...)
}

// appendJSONRequest goes on inside the string before and leaves a number open.
func appendJSONRequest(dst []byte, r *exchange.Request) []byte {
	dst = append(dst, `","method":"`...)
	dst = appendEscaped(dst, r.MethodName)
	dst = append(dst, `","host":"`...)
	dst = appendEscaped(dst, r.Authority)
	dst = append(dst, `","uri":"`...)
	dst = appendEscaped(dst, r.Path)
	if r.HasQuery {
		dst = append(dst, '?')
		dst = appendEscaped(dst, r.Query)
	}
	dst = append(dst, `","protocol":"HTTP/1.`...)
	return append(dst, '0'+r.Minor%10, '"')
}

func appendJSONOutcome(dst []byte, out *exchange.Outcome) []byte {
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(out.Status), 10)
	if f := out.Failure; f != nil {
		dst = append(dst, `,"error":"`...)
		dst = appendEscaped(dst, []byte(f.Code.Name))
		dst = append(dst, '"')
		dst = appendJSONReason(dst, f, maxValue)
	}
	dst = appendMember(dst, `,"service":"`, []byte(out.Service))
	dst = appendMember(dst, `,"endpoint":"`, []byte(out.Endpoint))
	dst = append(dst, `,"endpoint_index":`...)
	dst = strconv.AppendInt(dst, int64(out.Index), 10)
	dst = append(dst, `,"attempts":`...)
	dst = strconv.AppendInt(dst, int64(out.Attempts), 10)
	dst = appendJSONTries(dst, out.Tries)
	if out.Queued > 0 {
		dst = append(dst, `,"queued_ms":`...)
		dst = appendMilliseconds(dst, out.Queued)
	}
	dst = append(dst, `,"duration_ms":`...)
	dst = appendMilliseconds(dst, out.Duration)
	dst = append(dst, `,"request_bytes":`...)
	dst = strconv.AppendInt(dst, out.RequestBytes, 10)
	dst = append(dst, `,"response_bytes":`...)
	return strconv.AppendInt(dst, out.ResponseBytes, 10)
}

func appendJSONFields(dst []byte, header exchange.Header) []byte {
	n := note(header)
	dst = appendMember(dst, `,"user_agent":"`, n.userAgent)
	dst = appendMember(dst, `,"referer":"`, n.referer)
	if n.traceparent != nil {
		dst = appendMember(dst, `,"traceparent":"`, n.traceparent)
		dst = appendMember(dst, `,"trace_id":"`, traceID(n.traceparent))
	}
	return dst
}

// appendJSONTries appends the member tries, unless there are none.
func appendJSONTries(dst []byte, tries []exchange.Try) []byte {
	if len(tries) == 0 {
		return dst
	}
	dst = append(dst, `,"tries":[`...)
	for i := range tries[:min(len(tries), maxTries)] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONTry(dst, &tries[i])
	}
	return append(dst, ']')
}

func appendJSONTry(dst []byte, t *exchange.Try) []byte {
	dst = append(dst, `{"endpoint":"`...)
	dst = appendEscapedUpTo(dst, []byte(t.Endpoint), maxTryValue)
	dst = append(dst, '"')
	if t.Status != 0 {
		dst = append(dst, `,"status":`...)
		dst = strconv.AppendInt(dst, int64(t.Status), 10)
	}
	if f := t.Failure; f != nil {
		dst = appendMember(dst, `,"error":"`, []byte(f.Code.Name))
		dst = appendJSONReason(dst, f, maxTryValue)
	}
	dst = append(dst, `,"duration_ms":`...)
	return append(appendMilliseconds(dst, t.Duration), '}')
}

// appendJSONReason appends what a failure has to say beyond its code, if it has.
// The texts are not put together before: that would allocate.
func appendJSONReason(dst []byte, f *exchange.Failure, most int) []byte {
	if f.Detail == "" && f.Cause == nil {
		return dst
	}
	dst = append(dst, `,"reason":"`...)
	dst = appendEscapedUpTo(dst, []byte(f.Detail), most)
	if f.Detail != "" && f.Cause != nil {
		dst = append(dst, ": "...)
	}
	if f.Cause != nil {
		dst = appendEscapedUpTo(dst, []byte(f.Cause.Error()), most)
	}
	return append(dst, '"')
}

// appendMember appends a whole member, unless its value is empty.
func appendMember(dst []byte, opening string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return append(appendOptional(dst, opening, value), '"')
}

// appendOptional is appendMember without the closing quote.
func appendOptional(dst []byte, opening string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(dst, opening...)
	return appendEscaped(dst, value)
}

// appendMilliseconds appends a duration in ms, to the microsecond.
func appendMilliseconds(dst []byte, d time.Duration) []byte {
	micros := max(d.Microseconds(), 0)
	dst = strconv.AppendInt(dst, micros/1000, 10)
	return append(dst, '.', byte('0'+micros/100%10), byte('0'+micros/10%10), byte('0'+micros%10))
}

// plainJSON tells which bytes stand for themselves in a JSON string.
var plainJSON = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendEscaped appends the inside of a JSON string (RFC 8259 §7). Beyond what
// JSON demands, everything that could act on a terminal, or look like something
// else on it, is escaped: DEL, C1 controls, and code points that Unicode does not
// call printable, such as those that turn the direction of text. Bytes that are
// not UTF-8 become U+FFFD.
func appendEscaped(dst, s []byte) []byte { return appendEscapedUpTo(dst, s, maxValue) }

// appendEscapedUpTo is appendEscaped for a value of which so many bytes are
// logged at most.
func appendEscapedUpTo(dst, s []byte, most int) []byte {
	rest := 0
	if len(s) > most {
		s, rest = cut(s, most)
	}
	start := 0
	for i := 0; i < len(s); {
		if len(s)-i >= 8 && allPlain(binary.LittleEndian.Uint64(s[i:])) {
			i += 8
			continue
		}
		c := s[i]
		if plainJSON[c] {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		var n int
		dst, n = appendEscape(dst, s[i:])
		i += n
		start = i
	}
	dst = append(dst, s[start:]...)
	if rest > 0 {
		dst = appendRest(dst, rest)
	}
	return dst
}

// allPlain reports whether eight bytes are all plain. Each term sets the high bit
// of the lowest byte that it finds: at least 0x80, below 0x20, or equal. A borrow
// can set more above that, never below, so "none" is exact.
func allPlain(x uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	return (x|(x-ones*0x20)|((x^ones*'"')-ones)|((x^ones*'\\')-ones)|((x^ones*0x7f)-ones))&high == 0
}

const hexDigits = "0123456789abcdef"

// appendEscape appends the character that s starts with, and returns how many
// bytes it has.
func appendEscape(dst, s []byte) ([]byte, int) {
	if c := s[0]; c < utf8.RuneSelf {
		switch c {
		case '"', '\\':
			return append(dst, '\\', c), 1
		case '\n':
			return append(dst, `\n`...), 1
		case '\r':
			return append(dst, `\r`...), 1
		case '\t':
			return append(dst, `\t`...), 1
		}
		return appendUnit(dst, uint16(c)), 1
	}
	r, n := utf8.DecodeRune(s)
	switch {
	case r == utf8.RuneError && n == 1:
		return append(dst, `\ufffd`...), 1
	case unicode.IsPrint(r):
		return append(dst, s[:n]...), n
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return appendUnit(appendUnit(dst, uint16(high)), uint16(low)), n
	default:
		return appendUnit(dst, uint16(r)), n
	}
}

// appendUnit appends a UTF-16 code unit as \uXXXX.
func appendUnit(dst []byte, u uint16) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// cut shortens a value to so many bytes, not inside a character, and returns how
// many it left out.
func cut(s []byte, most int) (kept []byte, rest int) {
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], len(s) - end
}

// appendRest marks a value that was cut.
func appendRest(dst []byte, rest int) []byte {
	dst = append(dst, "...(+"...)
	dst = strconv.AppendInt(dst, int64(rest), 10)
	return append(dst, " bytes)"...)
}
