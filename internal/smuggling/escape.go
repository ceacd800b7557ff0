package smuggling

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// decode makes bytes of a section: line ends go, escapes are replaced.
func decode(section []byte) ([]byte, error) {
	var out []byte
	text := strings.ReplaceAll(string(section), "\n", "")
	for len(text) > 0 {
		slash := strings.IndexByte(text, '\\')
		if slash < 0 {
			return append(out, text...), nil
		}
		out = append(out, text[:slash]...)
		piece, rest, err := decodeEscape(text[slash+1:])
		if err != nil {
			return nil, err
		}
		out, text = append(out, piece...), rest
	}
	return out, nil
}

var simpleEscapes = map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', '\\': '\\'}

// decodeEscape decodes what follows a backslash.
func decodeEscape(text string) (piece []byte, rest string, err error) {
	if text == "" {
		return nil, "", fmt.Errorf("a backslash at the end")
	}
	if c, ok := simpleEscapes[text[0]]; ok {
		return []byte{c}, text[1:], nil
	}
	switch {
	case text[0] == 'x' && len(text) >= 3:
		n, err := strconv.ParseUint(text[1:3], 16, 8)
		return []byte{byte(n)}, text[3:], err
	case text[0] == '{':
		inside, rest, found := strings.Cut(text[1:], "}")
		count, what, spaced := strings.Cut(inside, " ")
		n, err := strconv.Atoi(count)
		if !found || !spaced || err != nil {
			return nil, "", fmt.Errorf(`\{%s: not a count and what to repeat`, inside)
		}
		unit, err := decode([]byte(what))
		return bytes.Repeat(unit, n), rest, err
	default:
		return nil, "", fmt.Errorf(`unknown escape \%c`, text[0])
	}
}
