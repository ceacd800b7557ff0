package router

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxSegments bounds a pattern, and with it the depth of every lookup and
	// the size of a Match.
	maxSegments = 64

	// maxLiteral bounds a literal segment, decoded, so that a request's
	// segment is decoded in a buffer of that size.
	maxLiteral = 255
)

// A pattern is a parsed path pattern.
type pattern struct {
	segments []segment // without the "*"
	rest     bool      // it ends with "*"
}

// A segment of a pattern is a capture if it has a name, else a literal.
type segment struct {
	literal string // decoded
	capture string
}

// A capture is the name of a segment.
type capture struct {
	name    string
	segment int
}

// Captures returns the names of the captures of a path pattern in their order,
// or what is wrong with it.
func Captures(path string) ([]string, error) {
	p, err := parsePattern(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range p.captures() {
		names = append(names, c.name)
	}
	return names, nil
}

func (p *pattern) captures() []capture {
	var captures []capture
	for i, s := range p.segments {
		if s.capture != "" {
			captures = append(captures, capture{s.capture, i})
		}
	}
	return captures
}

// shape is the same for patterns that match the same paths: captures have no
// names, and literals are decoded. As a segment's own slashes and braces are
// told apart by %q, no two shapes are confused.
func (p *pattern) shape() string {
	var b strings.Builder
	for _, s := range p.segments {
		if s.capture != "" {
			b.WriteString("/{}")
		} else {
			fmt.Fprintf(&b, "/%q", s.literal)
		}
	}
	if p.rest {
		b.WriteString("/*")
	}
	return b.String()
}

func parsePattern(path string) (pattern, error) {
	if path == "" || path[0] != '/' {
		return pattern{}, errors.New("a path begins with a slash")
	}
	if strings.ContainsAny(path, "?#") {
		return pattern{}, errors.New("a path has no query and no fragment")
	}
	texts := strings.Split(path[1:], "/")
	var p pattern
	if texts[len(texts)-1] == "*" {
		p.rest = true
		texts = texts[:len(texts)-1]
	}
	if len(texts) > maxSegments {
		return pattern{}, fmt.Errorf("more than %d segments", maxSegments)
	}
	for _, text := range texts {
		s, err := parseSegment(text)
		if err != nil {
			return pattern{}, err
		}
		p.segments = append(p.segments, s)
	}
	return p, p.checkNames()
}

func (p *pattern) checkNames() error {
	seen := make(map[string]bool)
	for _, c := range p.captures() {
		if seen[c.name] {
			return fmt.Errorf("two segments are called {%s}", c.name)
		}
		seen[c.name] = true
	}
	return nil
}

func parseSegment(text string) (segment, error) {
	if name, ok := strings.CutPrefix(text, "{"); ok {
		if name, ok = strings.CutSuffix(name, "}"); ok && isCaptureName(name) {
			return segment{capture: name}, nil
		}
	}
	switch {
	case strings.ContainsAny(text, "{}"):
		return segment{}, fmt.Errorf("segment %q: a capture is a whole segment, {name}, of letters, digits and underscores (a literal brace is %%7B or %%7D)", text)
	case strings.Contains(text, "*"):
		return segment{}, fmt.Errorf(`segment %q: "*" stands only as the whole last segment (a literal one is %%2A)`, text)
	case !validEscapes(text):
		return segment{}, fmt.Errorf("segment %q: a percent sign is followed by two hexadecimal digits (a literal one is %%25)", text)
	case CheckPath([]byte(text)) != nil:
		return segment{}, fmt.Errorf("segment %q: requests with a dot segment are refused, so this matches none", text)
	}
	literal := string(unescape(nil, []byte(text)))
	if len(literal) > maxLiteral {
		return segment{}, fmt.Errorf("segment %.20q…: longer than %d bytes", text, maxLiteral)
	}
	return segment{literal: literal}, nil
}

func isCaptureName(name string) bool {
	for i := range len(name) {
		if !isAlnum(name[i]) && name[i] != '_' {
			return false
		}
	}
	return name != ""
}
