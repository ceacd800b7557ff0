package router

import (
	"fmt"
	"strings"
)

// A PatternError is a part of a route that can match nothing, or that cannot
// be understood.
type PatternError struct {
	Route int    // its place in what New was given
	Field string // "host", "path", "methods" or "headers"
	text  string
}

func (e *PatternError) Error() string { return e.text }

// A ConflictError is two routes that precedence cannot tell apart.
type ConflictError struct {
	First, Second int // their places in what New was given
	text          string
}

func (e *ConflictError) Error() string { return e.text }

func (b *builder) conflict(first, second int, methods []string, c claim) error {
	one, other := b.routes[first], b.routes[second]
	var parts []string
	if methods[0] != "" {
		parts = append(parts, "method "+strings.Join(methods, ", "))
	} else {
		parts = append(parts, "any method")
	}
	if c.host != "" {
		parts = append(parts, "host "+c.host)
	} else {
		parts = append(parts, "any host")
	}
	path := "path " + one.path
	if other.path != one.path {
		path += " (or " + other.path + ")"
	}
	parts = append(parts, path)
	if c.headers != "" {
		parts = append(parts, "headers "+c.headers)
	}
	if c.guard != "" {
		parts = append(parts, fmt.Sprintf("when %q", c.guard))
	}
	text := fmt.Sprintf("%s and %s match the same requests: %s", one.name, other.name, strings.Join(parts, ", "))
	return &ConflictError{first, second, text}
}

func showConditions(conditions []HeaderCondition) string {
	var b strings.Builder
	for i, c := range conditions {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %q", c.Name, c.Value)
	}
	return b.String()
}
