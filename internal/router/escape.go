package router

import "bytes"

// unescape appends a segment to dst with every percent-encoded octet decoded.
// A percent sign that introduces none stands for itself.
//
// A segment is cut out before it is decoded, so a %2F in it becomes a byte of
// the segment and never a separator, and "a%2Fb" is equal to no two segments.
func unescape(dst, segment []byte) []byte {
	for len(segment) > 0 {
		c, size := octet(segment)
		dst = append(dst, c)
		segment = segment[size:]
	}
	return dst
}

// equalUnescaped reports whether a segment, decoded, is the literal.
func equalUnescaped(segment []byte, literal string) bool {
	for i := range len(literal) {
		if len(segment) == 0 {
			return false
		}
		c, size := octet(segment)
		if c != literal[i] {
			return false
		}
		segment = segment[size:]
	}
	return len(segment) == 0
}

// octet decodes the first octet of s, which is not empty, and says how many
// bytes it takes there: three if percent-encoded.
func octet(s []byte) (c byte, size int) {
	if s[0] == '%' && len(s) >= 3 {
		high, low := fromHex(s[1]), fromHex(s[2])
		if high|low < 16 {
			return high<<4 | low, 3
		}
	}
	return s[0], 1
}

// fromHex returns the value of a hexadecimal digit, or 0xff.
func fromHex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

func isEscaped(segment []byte) bool {
	return bytes.IndexByte(segment, '%') >= 0
}

// validEscapes reports whether every percent sign introduces an octet.
func validEscapes(text string) bool {
	s := []byte(text)
	for len(s) > 0 {
		_, size := octet(s)
		if s[0] == '%' && size == 1 {
			return false
		}
		s = s[size:]
	}
	return true
}
