package file

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// The YAML library recurses with the depth of a document and with the number of keys in
// one block mapping. A list of endpoints has little of both.
const (
	maxDepth  = 10  // of [ and {
	maxColumn = 200 // of a key or a dash outside of them
	maxKeys   = 100 // of one endpoint
)

// maxMarks bounds the characters that may begin a token. One takes some hundred bytes,
// and all are made before the guard sees the first; an endpoint has about twenty.
const maxMarks = 4_000_000

// tooMuch reports whether a text would take more memory than a list of endpoints can.
func tooMuch(text string) bool {
	marks := strings.Count(text, `"`) / 2
	for _, mark := range []string{"[", "]", "{", "}", ",", ":", "- ", "\n"} {
		marks += strings.Count(text, mark)
	}
	return marks > maxMarks
}

// A guard watches the tokens go by, before anything recurses, and refuses what the
// parser could choke on, and the parts of YAML that a list of endpoints has no use for.
type guard struct {
	depth   int
	keys    int // since the endpoint began, or the last { did
	content bool
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
			return "a second document starts here; a list of endpoints is one document"
		}
		return ""
	case token.TagType, token.DirectiveType, token.MappingKeyType, token.AnchorType, token.AliasType, token.MergeKeyType:
		return "tags, directives, anchors, aliases and ? are not supported"
	case token.SequenceStartType, token.MappingStartType:
		g.keys = 0
		if g.depth++; g.depth > maxDepth {
			return "nested too deeply"
		}
	case token.SequenceEndType, token.MappingEndType:
		g.depth--
	case token.SequenceEntryType:
		g.keys = 0
		return g.block(tk)
	case token.MappingValueType:
		if g.keys++; g.keys > maxKeys {
			return "an endpoint has fewer keys than this"
		}
		return g.block(g.prev)
	}
	g.content = true
	return ""
}

// block notes a dash or a key of a block collection.
func (g *guard) block(tk *token.Token) string {
	g.content = true
	if g.depth == 0 && tk != nil && tk.Position.Column > maxColumn {
		return "nested too deeply"
	}
	return ""
}
