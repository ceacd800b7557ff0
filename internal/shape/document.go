package shape

import "encoding/json"

// A document is JSON text that was found valid (RFC 8259), so that to go through
// it takes no more than to tell strings, brackets and the rest apart.

// An item is a member of an object, or an element of an array: where it starts,
// with its name, and where its value starts and ends.
type item struct{ start, value, end int }

// isSpace reports whether c is white space of JSON.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && isSpace(doc[i]) {
		i++
	}
	return i
}

// skipValue returns where the value that starts at i ends.
func skipValue(doc []byte, i int) int {
	switch doc[i] {
	case '"':
		return skipString(doc, i)
	case '{', '[':
		return skipNested(doc, i)
	}
	for i < len(doc) && !isSpace(doc[i]) && doc[i] != ',' && doc[i] != '}' && doc[i] != ']' {
		i++
	}
	return i
}

func skipString(doc []byte, i int) int {
	for i++; doc[i] != '"'; i++ {
		if doc[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipNested(doc []byte, i int) int {
	for depth := 0; ; i++ {
		switch doc[i] {
		case '"':
			i = skipString(doc, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// items returns the members or elements of the value that starts at i.
func items(doc []byte, i int) []item {
	var all []item
	object := doc[i] == '{'
	for i = skipSpace(doc, i+1); doc[i] != '}' && doc[i] != ']'; {
		it := item{start: i, value: i}
		if object {
			colon := skipSpace(doc, skipString(doc, i))
			it.value = skipSpace(doc, colon+1)
		}
		it.end = skipValue(doc, it.value)
		all = append(all, it)
		if i = skipSpace(doc, it.end); doc[i] == ',' {
			i = skipSpace(doc, i+1)
		}
	}
	return all
}

// nameOf returns the name of a member.
func nameOf(doc []byte, it item) string {
	raw := doc[it.start:skipString(doc, it.start)]
	plain := raw[1 : len(raw)-1]
	for _, c := range plain {
		if c == '\\' || c >= 0x80 {
			var name string
			_ = json.Unmarshal(raw, &name) // it is valid
			return name
		}
	}
	return string(plain)
}

// isObject reports whether text looks like an object, by its first byte.
func isObject(text []byte) bool {
	i := skipSpace(text, 0)
	return i < len(text) && text[i] == '{'
}
