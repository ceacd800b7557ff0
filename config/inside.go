package config

import "strings"

// Below returns the path of a key of the section at path, for [Config.At]. It
// quotes a key that would be taken for something else, such as a.b.
func Below(path, key string) string { return joinKey(path, key) }

// AtInside is At for a place in the text that stands at path, such as where a
// compiler stumbled over an expression: line and column count from 1, in characters.
// If the text is not as the file has it, because references were replaced or lines
// were joined, its beginning is shown.
func (c *Config) AtInside(path string, line, column int, message string) Problem {
	if c.origin == nil {
		return Problem{Path: path, Message: message}
	}
	at, ok := c.origin.places.values[path]
	if !ok {
		return c.At(path, message)
	}
	if inside, ok := c.origin.src.inside(at, line, column); ok {
		at = inside
	}
	return c.origin.src.problem(at, path, message)
}

// inside finds a place in the text of the scalar at a place of the file.
func (s *source) inside(at place, line, column int) (place, bool) {
	if at.line < 1 || at.line > len(s.lines) || line < 1 || column < 1 {
		return place{}, false
	}
	runes := []rune(s.lines[at.line-1])
	if at.column > len(runes) {
		return place{}, false
	}
	switch first := runes[at.column-1]; {
	case first == '|':
		return s.insideBlock(at, line, column)
	case line > 1 || strings.ContainsRune(">*&", first):
		return place{}, false
	case first == '\'' || first == '"':
		return insideQuotes(runes, at, column)
	default:
		to := min(at.column-1+column, len(runes))
		return place{at.line, to}, isAsWritten(runes[at.column-1 : to])
	}
}

// insideBlock is inside for a text in lines of its own, behind a bar.
func (s *source) insideBlock(at place, line, column int) (place, bool) {
	header := []rune(s.lines[at.line-1])[at.column:]
	if strings.ContainsAny(string(header), "123456789") {
		return place{}, false // it says itself how far the text is indented
	}
	lines := s.block(at)
	if line > len(lines) || !isAsWritten([]rune(strings.Join(lines[:line], ""))) {
		return place{}, false
	}
	indent := 0
	for _, text := range lines {
		if trimmed := strings.TrimLeft(text, " "); trimmed != "" {
			indent = len(text) - len(trimmed)
			break
		}
	}
	return place{at.line + line, indent + column}, true
}

// block returns the lines of a text whose bar is at a place: all that are indented
// further than the line with the bar, or empty.
func (s *source) block(at place) []string {
	indent := len(s.lines[at.line-1]) - len(strings.TrimLeft(s.lines[at.line-1], " -"))
	for i, text := range s.lines[at.line:] {
		trimmed := strings.TrimLeft(text, " ")
		if trimmed != "" && len(text)-len(trimmed) < max(indent, 1) {
			return s.lines[at.line : at.line+i]
		}
	}
	return s.lines[at.line:]
}

// insideQuotes is inside for a text in quotes, all on one line. A quote in single
// quotes is written twice; in double quotes, a backslash makes two characters one.
func insideQuotes(runes []rune, at place, column int) (place, bool) {
	quote := runes[at.column-1]
	i := at.column // behind the quote
	for range column - 1 {
		if i >= len(runes) {
			return place{}, false
		}
		if quote == '\'' && runes[i] == quote || quote == '"' && runes[i] == '\\' {
			if i++; i < len(runes) && strings.ContainsRune("xuU", runes[i]) {
				return place{}, false
			}
		}
		i++
	}
	if i > len(runes) {
		return place{}, false
	}
	return place{at.line, i + 1}, isAsWritten(runes[at.column-1 : min(i, len(runes))])
}

// isAsWritten tells whether no reference was replaced in the text.
func isAsWritten(text []rune) bool { return !strings.Contains(string(text), "${") }
