package proxytest

import (
	"maps"
	"slices"
	"strings"
)

// cookies are a client's, by their names.
type cookies map[string]string

// learn takes the cookies that a response sets. What a browser would do with
// their attributes is not the proxy's business.
func (c cookies) learn(h *head) {
	if c == nil {
		return
	}
	for _, f := range h.fields {
		if !strings.EqualFold(f.name, "Set-Cookie") {
			continue
		}
		pair, _, _ := strings.Cut(f.value, ";")
		name, value, _ := strings.Cut(pair, "=")
		c[name] = value
	}
}

// field returns the field that sends them back; empty if there are none.
func (c cookies) field() string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		pairs = append(pairs, name+"="+c[name])
	}
	if len(pairs) == 0 {
		return ""
	}
	return "Cookie: " + strings.Join(pairs, "; ")
}
