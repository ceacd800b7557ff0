package router

import (
	"bytes"
	"errors"
)

// ErrDotSegment is returned by CheckPath.
var ErrDotSegment = errors.New("the path has a dot segment")

// CheckPath refuses a path that an endpoint may resolve to another one than
// what was matched: one with a segment "." or "..", plain or percent-encoded in
// any mix ("%2e", ".%2E"). As endpoints differ, it refuses too
//
//   - a dot segment with a path parameter ("..;", "..;v=1", "..%3B"), which
//     Tomcat and its kin take for "..";
//   - one that is set off by an encoded slash, or by a backslash, encoded or
//     not ("..%2Fadmin", `a\..\b`): some decode before they resolve, and some
//     take a backslash for a slash.
//
// Dots that are part of a name ("...", ".env", "a..b") pass, and so do
// encoded slashes and backslashes elsewhere. What is encoded twice ("%252e")
// passes: it takes two decodings to make it a dot, and the one that does the
// second is at fault. The path has no query. A path that passes does not
// allocate, nor does one that is refused.
func CheckPath(path []byte) error {
	if bytes.IndexByte(path, '.') < 0 && bytes.IndexByte(path, '%') < 0 {
		return nil
	}
	for {
		dots, size := leadingDots(path)
		if dots > 0 && endsDots(path[size:]) {
			return ErrDotSegment
		}
		next := afterSeparator(path)
		if next < 0 {
			return nil
		}
		path = path[next:]
	}
}

// Normalize appends to dst the path without its dot segments, removed as RFC
// 3986, section 5.2.4, has it; a percent-encoded dot is a dot. All else stays
// byte for byte: empty segments, and what is percent-encoded. What CheckPath
// refuses and that section does not know of ("..;", "..%2F", `..\`) is not
// guessed at: then ok is false, and the request is refused.
//
// dst may be path[:0]. A path that does not begin with a slash stays as it is.
func Normalize(dst, path []byte) (normal []byte, ok bool) {
	if CheckPath(path) == nil {
		return append(dst, path...), true
	}
	if path[0] != '/' {
		return dst, false
	}
	base := len(dst)
	for len(path) > 0 { // it begins with a slash
		segment, rest := path[1:], []byte(nil)
		if i := bytes.IndexByte(segment, '/'); i >= 0 {
			segment, rest = segment[:i], segment[i:]
		}
		dots, size := leadingDots(segment)
		switch isDots := size == len(segment); {
		case isDots && (dots == 1 || dots == 2):
			if dots == 2 {
				dst = dst[:base+max(0, bytes.LastIndexByte(dst[base:], '/'))]
			}
			if rest == nil {
				dst = append(dst, '/')
			}
		case CheckPath(segment) != nil:
			return dst[:base], false
		default:
			dst = append(append(dst, '/'), segment...)
		}
		path = rest
	}
	return dst, true
}

// leadingDots returns 1 or 2 if s begins with that many dots and no more, plain
// or encoded, and how many bytes they take; else 0.
func leadingDots(s []byte) (dots, size int) {
	if len(s) == 0 || s[0] != '.' && s[0] != '%' {
		return 0, 0
	}
	for size < len(s) {
		c, n := octet(s[size:])
		if c != '.' {
			break
		}
		if dots++; dots > 2 {
			return 0, 0
		}
		size += n
	}
	return dots, size
}

// endsDots reports whether dots before s are a segment of their own in the
// eyes of some endpoint.
func endsDots(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	c, _ := octet(s)
	return c == '/' || c == '\\' || c == ';'
}

// afterSeparator returns the place after the first byte of s that some
// endpoint takes for a separator, or -1.
func afterSeparator(s []byte) int {
	for i, c := range s {
		size := 1
		if c == '%' {
			c, size = octet(s[i:])
		}
		if c == '/' || c == '\\' {
			return i + size
		}
	}
	return -1
}
