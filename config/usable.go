package config

import "strings"

// Usable says which answers are taken: classes and codes, or one expression of
// the response, which is written alone.
type Usable []string

// Expression returns the expression, or "" if there are classes and codes. What has
// no sign of a condition in it is taken for one of those.
func (u Usable) Expression() Expression {
	if len(u) != 1 || !strings.ContainsAny(u[0], ".(<>=!&|?") {
		return ""
	}
	return u[0]
}
