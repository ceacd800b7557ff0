package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// parse returns the endpoints of all pages. The error is about the first mistake.
func parse(pages []page) ([]endpoint.Endpoint, error) {
	l := listing{names: map[identity]string{}}
	for _, p := range pages {
		if err := l.add(p); err != nil {
			return nil, err
		}
	}
	return l.endpoints, nil
}

// A place is where in a file something stands; both count from 1.
type place struct{ line, column int }

func placeOf(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{1, 1}
	}
	return place{max(tk.Position.Line, 1), max(tk.Position.Column, 1)}
}

// A mistake is what is wrong with a file, and where.
type mistake struct {
	place
	message string
}

func wrong(at place, format string, args ...any) *mistake {
	return &mistake{at, fmt.Sprintf(format, args...)}
}

// in is the mistake as an error about a file.
func (m *mistake) in(name string) error {
	return fmt.Errorf("%s:%d:%d: %s", name, m.line, m.column, m.message)
}

const empty = "it is empty; if there are no endpoints, write []"

// add adds what a page says.
func (l *listing) add(p page) error {
	root, m := readSyntax(p)
	if m == nil {
		m = l.read(p.name, root)
	}
	if m != nil {
		return m.in(p.name)
	}
	return nil
}

// read adds all elements of a page.
func (l *listing) read(name string, root ast.Node) *mistake {
	seq, ok := root.(*ast.SequenceNode)
	if !ok {
		return wrong(firstPlace(root), "it is %s; write a list of endpoints", kindOf(root))
	}
	for _, n := range seq.Values {
		if len(l.endpoints) == registry.MaxEndpoints {
			return wrong(firstPlace(n), "there are more than %d endpoints", registry.MaxEndpoints)
		}
		if m := l.element(name, n); m != nil {
			return m
		}
	}
	return nil
}

// readSyntax returns the root of a page. JSON is read as the YAML that it is, once it
// is known to be JSON.
func readSyntax(p page) (root ast.Node, m *mistake) {
	text := strings.TrimPrefix(p.text, "\ufeff")
	if at, ok := firstInvalid(text); ok {
		return nil, wrong(at, "it has bytes that are not UTF-8")
	}
	if strings.TrimSpace(text) == "" {
		return nil, wrong(place{1, 1}, empty)
	}
	if filepath.Ext(p.name) == ".json" {
		if m := checkJSON(text); m != nil {
			return nil, m
		}
	}
	return parseYAML(text)
}

func firstInvalid(text string) (at place, found bool) {
	if utf8.ValidString(text) {
		return at, false
	}
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
			return placeAt(text, i), true
		}
	}
	return at, false
}

// placeAt returns the place of a byte.
func placeAt(text string, offset int) place {
	before := text[:min(max(offset, 0), len(text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return place{strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[line:]) + 1}
}

func checkJSON(text string) *mistake {
	var any json.RawMessage
	err := json.Unmarshal([]byte(text), &any)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return wrong(placeAt(text, int(syntax.Offset)-1), "invalid JSON: %v", err)
	}
	if err != nil {
		return wrong(place{1, 1}, "invalid JSON: %v", err)
	}
	return nil
}

func parseYAML(text string) (root ast.Node, m *mistake) {
	var g guard
	defer func() {
		// The library has panicked on malformed input before. Whatever the file
		// says, the answer is a mistake with a place.
		if r := recover(); r != nil {
			root, m = nil, wrong(placeOf(g.prev), "invalid YAML: the parser gave up: %v", r)
		}
	}()
	if tooMuch(text) {
		return nil, wrong(place{1, 1}, "it says more than a list of endpoints can")
	}
	tokens := lexer.Tokenize(text)
	for _, tk := range tokens {
		if message := g.look(tk); message != "" {
			return nil, wrong(placeOf(tk), "%s", message)
		}
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, explain(err)
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body, nil // the guard lets no second one pass
		}
	}
	return nil, wrong(place{1, 1}, empty)
}

func explain(err error) *mistake {
	placed := yaml.Error(nil)
	if !errors.As(err, &placed) {
		return wrong(place{1, 1}, "invalid YAML: %v", registry.Shorten(err.Error()))
	}
	return wrong(placeOf(placed.GetToken()), "invalid YAML: %s", registry.Shorten(placed.GetMessage()))
}
