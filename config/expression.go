package config

import "strings"

// Expression is the text of an expression in CEL. What it says is checked by
// whoever compiles it, not here.
type Expression = string

// Expressions are expressions by name, in the order they were written.
type Expressions = Fields

// celWords cannot be names: CEL keeps them, or has a meaning for them.
var celWords = []string{
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
	"namespace", "null", "package", "return", "true", "var", "void", "while",
}

// variables are what expressions can read without anybody's doing.
var variables = []string{
	"captures", "client", "endpoint", "hostname", "listener", "now", "request", "response", "service", "version",
}

// isConstant tells whether an expression is a literal, so that it is the same
// for every request.
func isConstant(text string) bool {
	text = strings.TrimSpace(text)
	if text == "true" || text == "false" || isDigits(text) {
		return true
	}
	for _, q := range []string{`"`, `'`} {
		inner, opened := strings.CutPrefix(text, q)
		inner, closed := strings.CutSuffix(inner, q)
		if opened && closed && !strings.ContainsAny(inner, q+`\`) {
			return true
		}
	}
	return false
}

// notEmpty checks that each of the named expressions says something. What stands
// alone under a key is refused when it is read.
func (c *checker) notEmpty(list Expressions, path string) {
	for _, e := range list {
		if strings.TrimSpace(e.Value) == "" {
			c.add(joinKey(path, e.Name), `is empty; the empty text is written '""'`)
		}
	}
}
