package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The YAML library recurses with the depth of a document and with the number of
// keys in one block mapping, and takes time in the square of either. These
// bounds keep a hostile or broken file from costing a stack or an hour; they
// are counted over the tokens, before anything recurses.
const (
	maxDepth      = 100   // of [ and {
	maxBlockStart = 500   // column of a key or a dash outside of [ and {
	maxBlockKeys  = 10000 // in one block mapping
	maxAnchors    = 1000
)

// parseSyntax returns the document's root, or nil if the file says nothing.
func parseSyntax(src *source) (root ast.Node, problem *Problem) {
	at := place{1, 1}
	defer func() {
		// The library has panicked on malformed input before. Whatever the
		// file says, the answer is an error with a place.
		if r := recover(); r != nil {
			p := src.problem(at, "", fmt.Sprintf("invalid YAML: the parser gave up: %v", r))
			root, problem = nil, &p
		}
	}()
	tokens := joinColons(lexer.Tokenize(src.text))
	var g guard
	for _, tk := range tokens {
		at = placeOf(tk)
		if message := g.look(tk); message != "" {
			p := src.problem(at, "", message)
			return nil, &p
		}
	}
	at = place{1, 1}
	// Duplicate keys are found by the decoder, which goes on after the first.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := src.syntaxProblem(err)
		return nil, &p
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			p := src.problem(firstPlace(doc.Body), "", severalDocuments)
			return nil, &p
		}
		root = doc.Body
	}
	return root, nil
}

const severalDocuments = "a second document starts here; a configuration is one document"

func (s *source) syntaxProblem(err error) Problem {
	var placed yaml.Error
	if !errors.As(err, &placed) {
		return s.problem(place{1, 1}, "", "invalid YAML: "+err.Error())
	}
	at := placeOf(placed.GetToken())
	p := s.problem(at, "", "invalid YAML: "+placed.GetMessage())
	if strings.Contains(p.SourceLine, "${") {
		p.Message += "; inside of { } and [ ], put quotes around what has ${…} in it"
	}
	return p
}

// guard watches the tokens go by and refuses what the parser could choke on,
// and the parts of YAML that a configuration has no use for.
type guard struct {
	depth   int // of [ and {
	anchors int
	content bool // seen before the present token
	keys    [maxBlockStart + 1]int
	prev    *token.Token
}

// look returns what is wrong with the next token, or "".
func (g *guard) look(tk *token.Token) string {
	defer func() { g.prev = tk }()
	switch tk.Type {
	case token.CommentType:
		return ""
	case token.DocumentHeaderType:
		if g.content {
			return severalDocuments
		}
		return ""
	case token.TagType:
		return "tags are not supported"
	case token.DirectiveType:
		return "directives are not supported"
	case token.MappingKeyType:
		return "keys are plain words; ? is not supported"
	case token.AnchorType:
		if g.anchors++; g.anchors > maxAnchors {
			return fmt.Sprintf("more than %d anchors", maxAnchors)
		}
	case token.SequenceStartType, token.MappingStartType:
		if g.depth++; g.depth > maxDepth {
			return "nested too deeply"
		}
	case token.SequenceEndType, token.MappingEndType:
		g.depth--
	case token.SequenceEntryType:
		return g.block(tk, 0)
	case token.MappingValueType:
		return g.block(g.prev, 1)
	}
	g.content = true
	return ""
}

// block notes a dash or a key of a block collection, which ends all those
// indented further.
func (g *guard) block(tk *token.Token, keys int) string {
	g.content = true
	if g.depth > 0 || tk == nil {
		return ""
	}
	column := tk.Position.Column
	if column < 1 || column > maxBlockStart {
		return "nested too deeply"
	}
	clear(g.keys[column+1:])
	if g.keys[column] += keys; g.keys[column] > maxBlockKeys {
		return fmt.Sprintf("more than %d keys in one mapping", maxBlockKeys)
	}
	return ""
}

func placeOf(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{}
	}
	return place{max(tk.Position.Line, 1), max(tk.Position.Column, 1)}
}

// firstPlace is where a node begins. A mapping's own token is the colon, which
// is not where one looks for it.
func firstPlace(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return firstPlace(n.Values[0])
		}
	case *ast.MappingValueNode:
		return firstPlace(n.Key)
	case *ast.SequenceNode:
		return placeOf(n.Start)
	}
	return placeOf(n.GetToken())
}
