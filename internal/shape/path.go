package shape

import (
	"errors"
	"strings"
)

// A path leads to a place in a JSON document: names of members and numbers of
// elements.
type path []string

var errWhole = errors.New(`"." is the document itself, which can only be merged into; name a member`)

// parsePath reads a path as it is written: segments with dots between them. A
// backslash takes the character behind it as it is.
func parsePath(text string) (path, error) {
	switch {
	case text == "":
		return nil, errors.New("a path names a member, as in a.b or list.0")
	case strings.HasPrefix(text, "$"):
		return nil, errors.New(`a path is written without "$", as in a.b or list.0`)
	}
	var p path
	var segment []byte
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == '.':
			if len(segment) == 0 {
				return nil, errors.New(`a segment of the path is empty (a dot in a name is written "\.")`)
			}
			p, segment = append(p, string(segment)), nil
		case text[i] == '\\':
			if i++; i == len(text) {
				return nil, errors.New(`the path ends with a backslash (one in a name is written "\\")`)
			}
			segment = append(segment, text[i])
		case text[i] == '[':
			return nil, errors.New(`an element is written with a dot, as in list.0; a "[" in a name is written \[`)
		default:
			segment = append(segment, text[i])
		}
	}
	if len(p) > maxDepth {
		return nil, errors.New("the path is too deep")
	}
	return p, nil
}

// index returns the number of an element that a segment names; last is that of
// the last one, "-1" is the one behind it.
func index(segment string, length int) (n int, ok bool) {
	if segment == "-1" {
		return length, true
	}
	if len(segment) == 0 || len(segment) > 7 || segment[0] == '0' && len(segment) > 1 {
		return 0, false
	}
	for _, c := range []byte(segment) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
