package config

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// joinColons puts plain words together again that the scanner cut at a colon.
// YAML lets a plain word contain a colon that no space follows, which is how
// [http://a:80] is written; inside of { } goccy/go-yaml takes every colon but
// the one of :// for the end of a key (v1.19.2, scanMapDelim). Without this,
// services: { web: { endpoints: [http://a:80] } } would be refused.
func joinColons(tokens token.Tokens) token.Tokens {
	joined := make(token.Tokens, 0, len(tokens))
	depth := 0
	for i := 0; i < len(tokens); i++ {
		tk := tokens[i]
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth <= 0 || tk.Type != token.MappingValueType || i+1 == len(tokens) || !touches(tk, tokens[i+1]) {
			joined.Add(tk)
			continue
		}
		next := tokens[i+1]
		if before := last(joined); isPlain(before) && touches(before, tk) {
			joined = joined[:len(joined)-1]
			tk = join(before, tk)
		} else if closesValue(before) {
			joined.Add(tk) // "key":value is a key and a value
			continue
		}
		joined.Add(join(tk, next))
		i++
	}
	return joined
}

// join returns the plain word that a and b make.
func join(a, b *token.Token) *token.Token {
	return token.String(a.Value+b.Value, a.Origin+b.Origin, a.Position)
}

func last(tokens token.Tokens) *token.Token {
	if len(tokens) == 0 {
		return nil
	}
	return tokens[len(tokens)-1]
}

// touches tells whether b is a plain word, or a colon, that follows a without a
// space.
func touches(a, b *token.Token) bool {
	return (isPlain(b) || b.Type == token.MappingValueType) &&
		a.Position.Line == b.Position.Line &&
		a.Position.Column+utf8.RuneCountInString(a.Value) == b.Position.Column
}

func isPlain(tk *token.Token) bool {
	return tk != nil && tk.CharacterType == token.CharacterTypeMiscellaneous && tk.Indicator == token.NotIndicator
}

// closesValue tells whether tk ends something that may be a key without a space
// behind it.
func closesValue(tk *token.Token) bool {
	if tk == nil {
		return false
	}
	switch tk.Type {
	case token.SingleQuoteType, token.DoubleQuoteType, token.SequenceEndType, token.MappingEndType:
		return true
	}
	return false
}
