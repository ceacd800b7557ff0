package config

import (
	"errors"
	"strings"
)

// A Selector names a part of a request by which it is placed.
type Selector struct {
	Kind SelectorKind
	// Name is that of the header, cookie or parameter; empty for other kinds.
	Name string
}

// A SelectorKind is which part of a request a [Selector] names.
type SelectorKind int

// The parts of a request. Zero is none of them.
const (
	SelectHeader SelectorKind = iota + 1 // request.headers["name"]
	SelectCookie                         // request.cookies["name"]
	SelectQuery                          // request.query["name"]
	SelectPath                           // request.path
	SelectHost                           // request.host
	SelectClient                         // client.address
)

// defaultSelector is what requests are placed by if nobody says otherwise.
const defaultSelector = "client.address"

var plainSelectors = map[string]SelectorKind{
	"request.path":  SelectPath,
	"request.host":  SelectHost,
	defaultSelector: SelectClient,
}

var namedSelectors = map[string]SelectorKind{
	"request.headers": SelectHeader,
	"request.cookies": SelectCookie,
	"request.query":   SelectQuery,
}

// IsSelector tells whether s is written as a selector is. What is not is another
// expression.
func IsSelector(s string) bool {
	part, rest, _ := strings.Cut(s, "[")
	_, closed := unquoteName(rest)
	return plainSelectors[s] != 0 || namedSelectors[part] != 0 && closed
}

// ParseSelector reads the written form of a selector, as hash_on has it. The
// names of headers and cookies are tokens, those of parameters any text.
func ParseSelector(s string) (Selector, error) {
	if kind, ok := plainSelectors[s]; ok {
		return Selector{Kind: kind}, nil
	}
	part, rest, _ := strings.Cut(s, "[")
	kind, ok := namedSelectors[part]
	name, closed := unquoteName(rest)
	switch {
	case !ok || !closed:
		return Selector{}, errors.New(quote(s) + ` is not a selector; write request.headers["name"], request.cookies["name"], request.query["name"], request.path, request.host or client.address`)
	case kind != SelectQuery && !isToken(name):
		return Selector{}, errors.New(quote(name) + " is not the name of a header or a cookie")
	case name == "":
		return Selector{}, errors.New("the name of the parameter is empty")
	}
	return Selector{Kind: kind, Name: name}, nil
}

// unquoteName takes the quotes and the bracket off the end of a selector. There
// is no way to write a quote or a backslash inside of the quotes.
func unquoteName(s string) (name string, ok bool) {
	for _, q := range []string{`"`, `'`} {
		inner, opened := strings.CutPrefix(s, q)
		inner, closed := strings.CutSuffix(inner, q+"]")
		if opened && closed && !strings.ContainsAny(inner, q+`\`) {
			return inner, true
		}
	}
	return "", false
}
