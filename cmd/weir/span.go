package main

import "github.com/weirproxy/weir/config"

// A span is a duration on the command line, with the same form as in the file.
// It remembers how it was written, to be told back in those words.
type span struct {
	config.Duration
	written string
}

// Set implements pflag.Value.
func (s *span) Set(text string) error {
	s.written = text
	return s.UnmarshalText([]byte(text))
}

// String implements pflag.Value.
func (s *span) String() string { return s.written }

// Type implements pflag.Value.
func (s *span) Type() string { return "duration" }
