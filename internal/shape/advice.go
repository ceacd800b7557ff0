package shape

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
)

// advise makes the first of CEL's complaints one that says what to do, and where.
func advise(env *cel.Env, text string, issues *cel.Issues) *Error {
	first := issues.Errors()[0]
	e := &Error{Message: first.Message, Offset: offsetOf(text, first.Location.Line(), first.Location.Column())}
	for _, a := range advices {
		if m := a.pattern.FindStringSubmatch(first.Message); m != nil {
			e.Message = a.say(env, text, e, m)
			break
		}
	}
	return e
}

// offsetOf turns a line, from 1, and a column of characters, from 0, into an
// offset of bytes.
func offsetOf(text string, line, column int) int {
	start := 0
	for ; line > 1; line-- {
		nl := strings.IndexByte(text[start:], '\n')
		if nl < 0 {
			return len(text)
		}
		start += nl + 1
	}
	for i := range text[start:] {
		if column <= 0 {
			return start + i
		}
		column--
	}
	return len(text)
}

type advice struct {
	pattern *regexp.Regexp
	say     func(env *cel.Env, text string, e *Error, m []string) string
}

var advices = []advice{
	{regexp.MustCompile(`^undeclared reference to '([^']*)'`), unknownName},
	{regexp.MustCompile(`^undefined field '([^']*)'`), unknownField},
	{regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`), noOverload},
	{regexp.MustCompile(`^type '([^']*)' does not support field selection`), noFields},
	{regexp.MustCompile(`(?s)^Syntax error: (.*)$`), syntax},
}

func unknownName(env *cel.Env, text string, e *Error, m []string) string {
	name := m[1]
	if rest := text[min(e.Offset, len(text)):]; isCall(rest, name) {
		return fmt.Sprintf("there is no function %q%s", name, suggest(name, functionNames(env)))
	}
	var known []string
	for _, v := range env.Variables() {
		if isName(v.Name()) && !slices.Contains(reserved, v.Name()) {
			known = append(known, v.Name())
		}
	}
	close := suggest(name, known)
	switch {
	case slices.Contains(known, name): // name{…}
		return fmt.Sprintf("%q is a variable, and no type to make values of", name)
	case close != "":
		return fmt.Sprintf("there is no %q%s", name, close)
	}
	slices.Sort(known)
	return fmt.Sprintf("there is no %q; text stands in quotes, and the variables are %s", name, strings.Join(known, ", "))
}

// isCall reports whether what is complained of is called. CEL complains of a
// function at its bracket.
func isCall(rest, name string) bool {
	rest = strings.TrimPrefix(rest, ".")
	rest = strings.TrimPrefix(rest, name)
	return strings.HasPrefix(strings.TrimLeft(rest, " "), "(")
}

func functionNames(env *cel.Env) []string {
	var names []string
	for name := range env.Functions() {
		if isName(name) {
			names = append(names, name)
		}
	}
	return append(names, "has", "all", "exists", "exists_one", "map", "filter")
}

// unknownField finds the record by the name in front of the dot.
func unknownField(_ *cel.Env, text string, e *Error, m []string) string {
	before := strings.TrimRight(text[:min(e.Offset, len(text))], " ")
	owner := before[strings.LastIndexFunc(before, func(r rune) bool { return r > 0x7f || !isName("a"+string(r)) })+1:]
	for _, r := range records {
		if r.name == owner {
			names := r.names()
			slices.Sort(names)
			if close := suggest(m[1], names); close != "" {
				return fmt.Sprintf("%s has no %q%s", owner, m[1], close)
			}
			return fmt.Sprintf("%s has no %q; it has %s", owner, m[1], strings.Join(names, ", "))
		}
	}
	return fmt.Sprintf("there is no field %q here", m[1])
}

func noFields(_ *cel.Env, _ string, _ *Error, m []string) string {
	return fmt.Sprintf("this is %s, which has no fields", celName(m[1]))
}

// noOverload explains calls with arguments that the function does not take.
func noOverload(_ *cel.Env, _ string, _ *Error, m []string) string {
	name, args := m[1], strings.Trim(m[2], "()")
	if i := strings.Index(m[2], ".("); i > 0 { // target.(arguments)
		args = m[2][:i] + ", " + strings.Trim(m[2][i+1:], "()")
	}
	if args == "" {
		return name + " takes arguments"
	}
	var kinds []string
	for _, arg := range splitTypes(args) {
		kinds = append(kinds, celName(arg))
	}
	said := strings.Join(kinds, " and ")
	if operator, ok := strings.CutPrefix(name, "_"); ok {
		name = strings.TrimSuffix(operator, "_")
	}
	hint := ""
	if name == "+" && slices.Contains(kinds, "text") {
		hint = "; string(…) makes text of a number or a bool"
	}
	return fmt.Sprintf("%s does not take %s%s", strings.Trim(name, "_@"), said, hint)
}

// splitTypes splits a list of types at its commas, but not within brackets.
func splitTypes(list string) (all []string) {
	depth, start := 0, 0
	for i, c := range list {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			all, start = append(all, strings.TrimSpace(list[start:i])), i+1
		}
	}
	return append(all, strings.TrimSpace(list[start:]))
}

// celName says what a type is that CEL has written.
func celName(t string) string {
	switch kind, _, _ := strings.Cut(t, "("); kind {
	case "string":
		return "text"
	case "int", "uint", "double":
		return "a number"
	case "bool":
		return "a bool"
	case "list":
		return "a list"
	case "map":
		return "a map"
	case "timestamp":
		return "a time"
	case "google.protobuf.Timestamp":
		return "a time"
	case "duration", "google.protobuf.Duration":
		return "a duration"
	case "null":
		return "null"
	case "dyn":
		return "a value of unknown kind"
	case "bytes":
		return "bytes"
	default:
		return "the " + strings.TrimPrefix(kind, "@") + " as a whole"
	}
}

func syntax(_ *cel.Env, text string, _ *Error, m []string) string {
	message, _, _ := strings.Cut(m[1], " expecting")
	switch {
	case strings.TrimSpace(text) == "":
		return "the expression is empty"
	case strings.Contains(message, "<EOF>"):
		return "the expression ends too early"
	case strings.Contains(message, "token recognition error"):
		return "this is not a sound expression: a quote or another sign is wrong" + strings.TrimPrefix(message, "token recognition error")
	}
	return "this is not a sound expression: " + message
}

// explainSide says more of an expression of a request's step that names what only
// a response has.
func explainSide(e *Error, text string) {
	rest := text[min(max(e.Offset, 0), len(text)):]
	for _, name := range []string{"response", "endpoint"} {
		if strings.HasPrefix(rest, name) && strings.HasPrefix(e.Message, fmt.Sprintf("there is no %q", name)) {
			e.Message = fmt.Sprintf("there is no %s yet when a request's steps are done; move this to the steps of the response", name)
		}
	}
}

// suggest returns the nearest of the names, as the end of a sentence; empty if
// none is near.
func suggest(name string, known []string) string {
	best, least := "", len(name)/3+1
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least || d == least && k < best {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is how many letters have to be changed, added, removed or swapped
// with their neighbour.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
