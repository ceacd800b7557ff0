package router

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A Prefix is a number of leading segments to take off a path, as in
// "/api" or "/{service}/{version}". It is immutable.
type Prefix struct {
	segments []segment
}

// NewPrefix compiles the prefix that a route takes off. It must be leading
// segments of the route's own path, so that every path that the route matches
// has it: a capture under the same name, and nothing of what "*" stands for. A
// final slash has no meaning.
func NewPrefix(prefix, path string) (*Prefix, error) {
	of, err := parsePattern(path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	p, err := parsePattern(prefix)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(prefix, "/") {
		p.segments = p.segments[:len(p.segments)-1]
	}
	switch {
	case p.rest:
		return nil, errors.New(`"*" cannot be taken off`)
	case len(p.segments) == 0:
		return nil, errors.New("it has no segment to take off")
	case len(p.segments) > len(of.segments):
		return nil, fmt.Errorf("not every path that matches %s begins with it: it is longer", path)
	}
	for i, s := range p.segments {
		if s != of.segments[i] {
			return nil, fmt.Errorf("not every path that matches %s begins with it: segment %d differs", path, i+1)
		}
	}
	return &Prefix{p.segments}, nil
}

// Strip returns what is left of a path behind the prefix: a slice of it that
// begins with a slash, or "/" if nothing is left. Bytes are never changed, so
// "/api//x" without "/api" is "//x". It is false if the path does not begin
// with the prefix, which cannot be if the route has matched it. It allocates
// nothing; the result is not to be written to.
func (p *Prefix) Strip(path []byte) (rest []byte, ok bool) {
	for _, s := range p.segments {
		if len(path) == 0 || path[0] != '/' {
			return nil, false
		}
		path = path[1:]
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if !s.matches(path[:end]) {
			return nil, false
		}
		path = path[end:]
	}
	if len(path) == 0 {
		return slash, true
	}
	return path, true
}

var slash = []byte{'/'}

func (s *segment) matches(text []byte) bool {
	if s.capture != "" {
		return len(text) > 0
	}
	return equalUnescaped(text, s.literal)
}
