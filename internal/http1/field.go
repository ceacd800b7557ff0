package http1

import (
	"math"
	"slices"

	"github.com/weirproxy/weir/internal/exchange"
)

// fields is what a pass over a section of field lines found.
type fields struct {
	header exchange.Header
	// seen has the IDs of the fields that are there, repeated those that are
	// there more than once.
	seen, repeated idSet
}

// parse parses the field lines of section, which begins at the first and ends
// with the empty line after the last, onto fs.header.
//
//	field-line = field-name ":" OWS field-value OWS      (RFC 9112 §5)
func (fs *fields) parse(section []byte, limit int) fault {
	if limit <= 0 {
		limit = math.MaxInt
	}
	for pos := 0; ; {
		colon := pos
		for colon < len(section) && charClasses[section[colon]]&charToken != 0 {
			colon++
		}
		if colon == pos || colon == len(section) || section[colon] != ':' {
			if colon == pos && string(section[pos:]) == "\r\n" {
				return faultNone
			}
			return nameFault(section, pos, colon)
		}
		start := colon + 1
		for start < len(section) && isSpace(section[start]) {
			start++
		}
		cr := valueEnd(section, start)
		if cr+1 >= len(section) || section[cr] != '\r' || section[cr+1] != '\n' {
			return valueFault(section, cr)
		}
		if len(fs.header) >= limit {
			return faultTooManyFields
		}
		end := cr
		for end > start && isSpace(section[end-1]) {
			end--
		}
		// The capacities end with name and value: appending to one copies it,
		// and never writes into the connection's buffer.
		field := fs.next()
		field.Name = section[pos:colon:colon]
		field.Value = section[start:end:end]
		id := fieldID(field.Name)
		field.ID, field.Skip = id, hopByHop.has(id)
		fs.repeated |= fs.seen & (1 << id)
		fs.seen |= 1 << id
		pos = cr + 2
	}
}

// next adds a field, to be set in place: quicker than to append a copy.
func (fs *fields) next() *exchange.Field {
	n := len(fs.header)
	if n == cap(fs.header) {
		fs.header = slices.Grow(fs.header, max(n, 16))
	}
	fs.header = fs.header[:n+1]
	return &fs.header[n]
}

// nameFault tells what is wrong with the line that begins at pos, whose name
// ends at end.
func nameFault(section []byte, pos, end int) fault {
	if end == len(section) {
		return faultIncomplete
	}
	switch c := section[end]; {
	case c == '\n':
		return faultBareLF
	case c == '\r' && (end+1 == len(section) || section[end+1] != '\n'):
		return faultBareCR
	case c == '\r' && end == pos:
		return faultIncomplete // bytes after the empty line
	case c == '\r':
		return faultNoColon
	case c == ':':
		return faultNameEmpty
	case isSpace(c) && end == pos:
		// obs-fold: "A server that receives an obs-fold in a request message
		// […] MUST either reject the message" (RFC 9112 §5.2), and white space
		// between the start line and the first field (§2.2) alike.
		return faultFold
	case isSpace(c):
		// "No whitespace is allowed between the field name and colon." (§5.1)
		return faultNameSpace
	default:
		return faultName
	}
}

// valueFault tells what is wrong with the byte at i, where a value ended.
func valueFault(section []byte, i int) fault {
	switch {
	case i >= len(section):
		return faultIncomplete
	case section[i] == '\n':
		return faultBareLF
	case section[i] == '\r':
		return faultBareCR
	default:
		return faultControl
	}
}

// contentLength parses the value of a Content-Length field: decimal digits,
// nothing else. Leading zeros are harmless, for the number is written anew, but
// no more digits than the greatest length has.
func contentLength(value []byte) (n int64, ok bool) {
	if len(value) == 0 || len(value) > 19 {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n >= 0 // 19 digits can reach past the greatest int64, never past 2^64
}
