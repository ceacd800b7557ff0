package proxytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// accessLog reads the access log. Its lines may stand out of order, so a script
// says of each what it is like, not where it is.
type accessLog struct {
	path  string
	read  int // lines
	lines []logLine
}

type logLine struct {
	text    string
	members map[string]any
}

// want waits for a line with these members, which no line of the script has
// found before: `name=value`, `name=*` for any value, or `name=-` for one that is
// not there.
func (l *accessLog) want(s *statement, patience time.Duration) error {
	words := strings.Fields(s.verb + " " + s.args)
	for _, word := range words {
		if !strings.Contains(word, "=") {
			return fmt.Errorf("%q is not name=value", word)
		}
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := l.readOn(); err != nil {
			return err
		}
		if at := slices.IndexFunc(l.lines, func(line logLine) bool { return line.has(words) }); at >= 0 {
			l.lines = slices.Delete(l.lines, at, at+1)
			return nil
		}
	}
	text := "there is no such line among those not asked for yet:"
	for _, line := range l.lines {
		text += "\n\t" + line.text
	}
	return errors.New(text)
}

func (l logLine) has(words []string) bool {
	for _, word := range words {
		name, want, _ := strings.Cut(word, "=")
		value, there := member(l.members, name)
		got := "-"
		if there {
			got = fmt.Sprint(value)
		}
		if got != want && !(there && want == "*") {
			return false
		}
	}
	return true
}

// member returns the member of that name; in tries.0.status, points lead into
// arrays and objects.
func member(value any, name string) (any, bool) {
	for part := range strings.SplitSeq(name, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[part]
			if !ok {
				return nil, false
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// readOn takes in the lines that were written meanwhile.
func (l *accessLog) readOn() error {
	data, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(data), "\n")
	for len(lines) > l.read+1 { // the last one is empty, or not whole yet
		line := logLine{text: strings.TrimSpace(lines[l.read])}
		d := json.NewDecoder(strings.NewReader(line.text))
		d.UseNumber()
		if err := d.Decode(&line.members); err != nil {
			return fmt.Errorf("%s: %w", line.text, err)
		}
		l.lines = append(l.lines, line)
		l.read++
	}
	return nil
}
