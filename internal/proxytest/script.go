package proxytest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// A scenario is one file: what it is about, a configuration and a script.
type scenario struct {
	file   string
	config []byte // nil: the usual one
	script []statement
	// only names the connections that the scenario is for; empty is all.
	only string
	// anyOrder: order and case of fields do not matter.
	anyOrder bool
}

// playedOn reports whether the scenario is for such connections: plain, tls or
// virtual.
func (s *scenario) playedOn(kind string) bool {
	return s.only == "" || s.only == kind || s.only == "sockets" && kind != "virtual"
}

var restrictions = []string{"sockets", "plain", "tls", "virtual"}

// A statement is one line of a script, and the block below it.
type statement struct {
	line  int
	actor string
	on    int // the connection that is meant, from 1; 0 is the present one
	verb  string
	args  string
	block []string
}

func (s *statement) String() string {
	text := s.actor + ": " + s.verb
	if s.args != "" {
		text += " " + s.args
	}
	return text
}

// load reads a scenario.
func load(file string) (*scenario, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	archive := txtar.Parse(data)
	s := &scenario{file: file}
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimSpace(line)
		if only, ok := strings.CutPrefix(line, "only "); ok && slices.Contains(restrictions, only) {
			s.only = only
		} else if line != "" && !strings.HasPrefix(line, "#") {
			return nil, fmt.Errorf("%s: %q is neither a comment nor `only`, followed by one of %q", file, line, restrictions)
		}
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "config":
			s.config = f.Data
		case "script":
			if s.script, err = parseScript(string(f.Data), startOf(data, "-- script --")); err != nil {
				return nil, fmt.Errorf("%s:%w", file, err)
			}
		default:
			return nil, fmt.Errorf("%s: there is no section called %s; there are config and script", file, f.Name)
		}
	}
	if len(s.script) == 0 {
		return nil, fmt.Errorf("%s: there is no script", file)
	}
	return s, nil
}

// startOf returns the number of the line after marker.
func startOf(data []byte, marker string) int {
	n := 1
	for line := range strings.Lines(string(data)) {
		n++
		if strings.TrimSpace(line) == marker {
			break
		}
	}
	return n
}

var statementForm = regexp.MustCompile(`^([a-z][a-z0-9]*)(?:/([0-9]+))?: *(\S+) *(.*)$`)

// parseScript parses the lines of a script, the first of which is line first of
// its file.
func parseScript(text string, first int) ([]statement, error) {
	var list []statement
	blank := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.TrimSpace(line) == "":
			blank++
			continue
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			if len(list) == 0 {
				return nil, fmt.Errorf("%d: a block without a line that it belongs to", first+i)
			}
			last := &list[len(list)-1]
			last.block = append(last.block, slices.Repeat([]string{""}, blank)...)
			last.block = append(last.block, line[1:])
		default:
			m := statementForm.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf("%d: want `actor: verb …`, got %q", first+i, line)
			}
			on, _ := strconv.Atoi(m[2])
			list = append(list, statement{line: first + i, actor: m[1], on: on, verb: m[3], args: strings.TrimSpace(m[4])})
		}
		blank = 0
	}
	return list, nil
}

// text returns the words of a line as the bytes they stand for: a quoted Go
// string, or themselves.
func text(s string) (string, error) {
	if !strings.HasPrefix(s, `"`) {
		return s, nil
	}
	t, err := strconv.Unquote(s)
	if err != nil {
		return "", fmt.Errorf("%s is not a quoted string", s)
	}
	return t, nil
}

// bytesOf returns the bytes that a statement's words, and its block, stand for:
// lines of a block end in CR LF unless they are quoted.
func (s *statement) bytes() ([]byte, error) {
	t, err := text(s.args)
	if err != nil {
		return nil, err
	}
	out := []byte(t)
	for _, line := range s.block {
		t, err := text(line)
		if err != nil {
			return nil, err
		}
		out = append(out, t...)
		if !strings.HasPrefix(line, `"`) {
			out = append(out, "\r\n"...)
		}
	}
	return out, nil
}

// parts splits a block at its first blank line into field lines and content. The
// lines of the content are as they stand, one behind the other, or quoted.
func (s *statement) parts() (fields []string, content string, hasContent bool, err error) {
	at := slices.Index(s.block, "")
	if at < 0 {
		return s.block, "", false, nil
	}
	for _, line := range s.block[at+1:] {
		t, err := text(line)
		if err != nil {
			return nil, "", false, err
		}
		content += t
	}
	return s.block[:at], content, true, nil
}
