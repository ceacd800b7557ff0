package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong, or unwise, in a configuration.
type Problem struct {
	// File is the name of the file; empty for a Config that was built in Go.
	File string
	// Line and Column count from 1; 0 if there is no file. Column counts
	// characters, not bytes.
	Line, Column int
	// Path leads to the value, as in services.web.endpoints[0].url; empty if
	// the file as a whole is meant.
	Path string
	// Message says what is wrong and, if possible, what to write instead.
	Message string
	// SourceLine is the line as it stands in the file, with stars in place of what
	// is known to be a secret.
	SourceLine string
}

// Error renders the problem as file:line:column: path: message, followed by the
// line of the file and a caret below the column.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
		}
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(printable(p.Path) + ": ")
	}
	b.WriteString(printable(p.Message))
	if p.Line > 0 && strings.TrimSpace(p.SourceLine) != "" {
		line, caret := excerpt(p.SourceLine, p.Column)
		b.WriteString("\n    " + line + "\n    " + caret)
	}
	return b.String()
}

// printable makes text safe for a terminal: what it quotes of the file, or of what
// a reference became, may hold anything.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) || r == '\t' {
			return r
		}
		return utf8.RuneError
	}, text)
}

// excerptWidth bounds how much of a line is shown: a file on a single line must
// not fill the screen.
const excerptWidth = 120

// excerpt returns the part of line around column, safe for a terminal, and a
// caret that stands below the column.
func excerpt(line string, column int) (text, caret string) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	from := 0
	if at >= excerptWidth {
		from = at - excerptWidth/2
	}
	to := min(len(runes), from+excerptWidth)
	runes, at = runes[from:to], at-from
	pad := make([]rune, at)
	for i, r := range runes {
		if r != '\t' && !strconv.IsPrint(r) {
			runes[i] = utf8.RuneError
		}
		if i < at {
			pad[i] = ' '
			if r == '\t' {
				pad[i] = '\t' // as wide as the one above it
			}
		}
	}
	return string(runes), string(pad) + "^"
}

// origin is where each part of a configuration was written.
type origin struct {
	src    *source
	places places
}

// has tells whether the key at path was written. There may be no origin.
func (o *origin) has(path string) bool {
	if o == nil {
		return false
	}
	_, ok := o.places.keys[path]
	return ok
}

// At returns a Problem of what stands at path (services.web.endpoints[0].tls.ca),
// placed in the file that the configuration was read from, if it was. It is for
// whoever puts a configuration to work and finds what only shows then.
func (c *Config) At(path, message string) Problem {
	if c.origin == nil {
		return Problem{Path: path, Message: message}
	}
	return c.origin.src.problem(c.origin.places.find(path, false), path, message)
}

// Problems is a list of problems, in the order of the file. As an error it
// shows the first of them. An empty list is not an error: use [Problems.Err]
// to make one of a list that may be empty.
type Problems []Problem

// shownProblems is how many problems one message shows: enough for a session of
// repairs, few enough to find the first.
const shownProblems = 20

// Error renders the problems below each other, and how many more there are
// after the first 20.
func (ps Problems) Error() string {
	shown := ps[:min(len(ps), shownProblems)]
	lines := make([]string, 0, len(shown)+1)
	for _, p := range shown {
		lines = append(lines, p.Error())
	}
	if more := len(ps) - len(shown); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Err returns ps as an error, or nil if it is empty.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// sorted returns ps in the order of the file; those without a place come first,
// in the order found. The same complaint about the same place is kept once:
// an alias makes one line of the file count several times.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message &&
			(a.Line > 0 || a.Path == b.Path)
	})
}

// quote renders s for a message, cut if it is long.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strconv.Quote(s)
}
