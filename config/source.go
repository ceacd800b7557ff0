package config

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxFileBytes bounds the configuration file. A hundred thousand endpoints fit.
const maxFileBytes = 16 << 20

// source is the text of a file, cut into lines for quoting.
type source struct {
	name  string
	text  string
	lines []string
	// secrets are where values stand that no problem may quote.
	secrets []secret
}

// secret is a value as it was written.
type secret struct {
	at   place
	text string
}

// newSource drops a byte order mark and makes every line end in LF, so that
// lines and columns are the ones an editor shows, whatever wrote the file.
func newSource(name string, data []byte) *source {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return &source{name: name, text: text, lines: strings.Split(text, "\n")}
}

// problem makes a Problem that stands at a place in the file.
func (s *source) problem(at place, path, message string) Problem {
	p := Problem{File: s.name, Line: at.line, Column: at.column, Path: path, Message: message}
	if at.line > 0 && at.line <= len(s.lines) {
		p.SourceLine = s.lines[at.line-1]
	}
	return p
}

// hide has cover keep a secret out of the lines that problems quote. A reference
// to one is none, unless it has a default.
func (s *source) hide(at place, text string) {
	inside, opened := strings.CutPrefix(text, "${")
	name, rest, _ := strings.Cut(inside, "}")
	reference := opened && rest == "" && !strings.Contains(name, ":-")
	if text != "" && !reference {
		s.secrets = append(s.secrets, secret{at, text})
	}
}

// cover puts stars in place of secrets, as many as they have characters, so that
// columns stay what they are.
func (s *source) cover() {
	for _, hidden := range s.secrets {
		if i := hidden.at.line - 1; i >= 0 && i < len(s.lines) {
			s.lines[i] = hidden.coverIn(s.lines[i])
		}
	}
	s.secrets = nil
}

// coverIn covers the secret in its line. What is written with escapes is not found
// as text; then everything from there on is covered.
func (h secret) coverIn(line string) string {
	runes := []rune(line)
	from := min(max(h.at.column-1, 0), len(runes))
	before, rest := string(runes[:from]), string(runes[from:])
	if !strings.Contains(rest, h.text) {
		return before + stars(rest)
	}
	return before + strings.Replace(rest, h.text, stars(h.text), 1)
}

func stars(text string) string { return strings.Repeat("*", utf8.RuneCountInString(text)) }

// invalidText tells what makes the text no text: bytes that are not UTF-8, or
// control characters, which YAML forbids and terminals obey.
func (s *source) invalidText() (Problem, bool) {
	for i, line := range s.lines {
		column := 0
		for rest := line; rest != ""; {
			r, size := utf8.DecodeRuneInString(rest)
			column++
			message := ""
			switch {
			case r == utf8.RuneError && size == 1:
				message = "is not UTF-8 text"
			case r < ' ' && r != '\t' || r == 0x7f:
				message = "has a control character"
			}
			if message != "" {
				return s.problem(place{i + 1, column}, "", "the file "+message+" here"), true
			}
			rest = rest[size:]
		}
	}
	return Problem{}, false
}

// place is a position in the file, counted from 1; zero is none.
type place struct{ line, column int }

// places remembers where each path of the configuration was written, so that
// what is found wrong later can be shown where it stands.
type places struct {
	values map[string]place
	keys   map[string]place
}

// find returns where path was written, or where the nearest thing around it
// was: a key that is missing is shown at the mapping that lacks it, and what
// nobody wrote at the beginning of the file.
func (p *places) find(path string, atKey bool) place {
	if at, ok := p.keys[path]; ok && atKey {
		return at
	}
	for path != "" {
		if at, ok := p.values[path]; ok {
			return at
		}
		path = parentPath(path)
	}
	return place{1, 1}
}
