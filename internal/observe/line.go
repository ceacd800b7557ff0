package observe

import (
	"net/netip"

	"github.com/weirproxy/weir/internal/exchange"
)

// A lineFormat appends the line of one exchange, with its newline, to dst.
type lineFormat func(dst []byte, c *clock, x *exchange.Exchange) []byte

// A LogField is one more member of every line.
type LogField struct {
	Name string
	// Append appends the value of an exchange as JSON; false if it has none.
	Append func(dst []byte, x *exchange.Exchange) ([]byte, bool)
}

// withFields returns a format with further members. Those that an exchange has not are
// left out.
func withFields(format lineFormat, json bool, fields []LogField) lineFormat {
	if len(fields) == 0 {
		return format
	}
	end, before, between := "\n", " ", "="
	if json {
		end, before, between = "}\n", `,"`, `":`
	}
	return func(dst []byte, c *clock, x *exchange.Exchange) []byte {
		dst = format(dst, c, x)
		dst = dst[:len(dst)-len(end)]
		for _, f := range fields {
			at := len(dst)
			dst = append(append(append(dst, before...), f.Name...), between...)
			value, ok := f.Append(dst, x)
			if dst = value; !ok {
				dst = dst[:at]
			}
		}
		return append(dst, end...)
	}
}

var lineFormats = map[Format]lineFormat{
	FormatJSON: appendJSONLine,
	FormatText: appendTextLine,
}

const (
	// maxValue is how many bytes of one value are logged. Whoever sends longer
	// ones does not get to fill the disk.
	maxValue = 2 << 10
	// maxTries is how many tries of one exchange are logged, the first ones;
	// maxTryValue is how many bytes of one value of theirs.
	maxTries    = 16
	maxTryValue = 256
)

// noted are the request's fields that are logged.
type noted struct {
	userAgent, referer, traceparent []byte
}

// note finds the first of each in one pass.
func note(header exchange.Header) (n noted) {
	for i := range header {
		switch header[i].ID {
		case exchange.FieldUserAgent:
			if n.userAgent == nil {
				n.userAgent = header[i].Value
			}
		case exchange.FieldReferer:
			if n.referer == nil {
				n.referer = header[i].Value
			}
		case exchange.FieldTraceparent:
			if n.traceparent == nil {
				n.traceparent = header[i].Value
			}
		}
	}
	return n
}

// appendAddr appends an address. It needs no escaping: the one part of an address
// that can be any text, an IPv6 zone, is left out, as X-Forwarded-For may have
// made it up.
func appendAddr(dst []byte, addr netip.Addr) []byte {
	if !addr.IsValid() {
		return append(dst, "unix:"...)
	}
	return addr.Unmap().WithZone("").AppendTo(dst)
}

// traceID returns the trace-id of a traceparent field, or nil if the field is not
// valid (W3C Trace Context, §3.2.2).
func traceID(parent []byte) []byte {
	const (
		versionEnd, traceEnd, spanEnd, length = 2, 35, 52, 55
	)
	if len(parent) < length || parent[versionEnd] != '-' || parent[traceEnd] != '-' || parent[spanEnd] != '-' {
		return nil
	}
	version, trace, span := parent[:versionEnd], parent[versionEnd+1:traceEnd], parent[traceEnd+1:spanEnd]
	switch {
	case !isLowerHex(version) || !isLowerHex(parent[spanEnd+1:length]) || string(version) == "ff":
		return nil
	case string(version) == "00" && len(parent) != length:
		return nil
	case len(parent) > length && parent[length] != '-': // a later version may go on
		return nil
	case !isLowerHex(trace) || isZeros(trace) || !isLowerHex(span) || isZeros(span):
		return nil
	}
	return trace
}

func isLowerHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isZeros(b []byte) bool {
	for _, c := range b {
		if c != '0' {
			return false
		}
	}
	return true
}
