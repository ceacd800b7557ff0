package http1

import (
	"encoding/binary"
	"math/bits"
)

// charClass is a set of the syntactic classes that a byte belongs to.
type charClass uint8

const (
	charToken  charClass = 1 << iota // tchar, RFC 9110 §5.6.2
	charTarget                       // may stand in a request target
	charHost                         // may stand in a host name
	charHex                          // HEXDIG, RFC 5234 §B.1
	charSep                          // a tchar that is neither a letter nor a digit
)

var charClasses = classifyChars()

func classifyChars() (classes [256]charClass) {
	for c := range 256 {
		b := byte(c)
		alnum := 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9'
		switch {
		case alnum:
			classes[c] |= charToken | charHost
		case contains("!#$%&'*+-.^_`|~", b):
			classes[c] |= charToken | charSep
		}
		// Host names are narrower than RFC 3986's reg-name, see validHost.
		if contains("-._~", b) {
			classes[c] |= charHost
		}
		if '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f' {
			classes[c] |= charHex
		}
		// Bytes from 0x80 are refused in a target: they are not URI
		// characters, and endpoints that decode a request line as Latin-1
		// before they split it take 0x85 and 0xA0 for white space. A fragment
		// is never sent (RFC 9112 §3.2).
		if 0x21 <= b && b <= 0x7e && b != '#' {
			classes[c] |= charTarget
		}
	}
	return classes
}

func contains(set string, b byte) bool {
	for i := range len(set) {
		if set[i] == b {
			return true
		}
	}
	return false
}

func (class charClass) has(b byte) bool { return charClasses[b]&class != 0 }

// span returns how many bytes at the start of b are of the class.
func (class charClass) span(b []byte) int {
	for i, c := range b {
		if charClasses[c]&class == 0 {
			return i
		}
	}
	return len(b)
}

// all reports whether b is not empty and has only bytes of the class.
func (class charClass) all(b []byte) bool { return len(b) > 0 && class.span(b) == len(b) }

const (
	eachByte    = 0x0101010101010101
	eachHighBit = 0x8080808080808080
)

// valueEnd returns the index of the first byte from i on that may not stand in
// a field value (RFC 9110 §5.5: control characters other than HTAB), which in a
// sound line is the CR that ends it, or len(b).
//
// It looks at eight bytes at a time. The lowest byte that is marked is always a
// true hit; borrows can only mark bytes above one.
func valueEnd(b []byte, i int) int {
	for i+8 <= len(b) {
		word := binary.LittleEndian.Uint64(b[i:])
		del := word ^ (eachByte * 0x7f)
		hit := ((word - eachByte*0x20) & ^word) | ((del - eachByte) & ^del)
		hit &= eachHighBit
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) >> 3
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && (b[i] >= 0x20 && b[i] != 0x7f || b[i] == '\t') {
		i++
	}
	return i
}

// trimSpace removes optional white space (SP and HTAB, RFC 9110 §5.6.3) from
// both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// foldToken reports whether name, all of whose bytes are token characters, is
// lower in any case. Setting the bit that tells the cases apart is exact there:
// no other token character becomes a lower-case letter, digit or hyphen by it.
func foldToken(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		if name[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// ValidName reports whether name can be a field's name (RFC 9110 §5.1).
func ValidName(name []byte) bool { return charToken.all(name) }

// ValidValue reports whether value can be a field's value: no control
// characters, no white space around it (RFC 9110 §5.5).
func ValidValue(value []byte) bool {
	return valueEnd(value, 0) == len(value) && len(trimSpace(value)) == len(value)
}
