package router

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// A rule is a route as seen from the leaf of its path: what is left to ask.
type rule struct {
	route      int
	rank       rank
	methods    methodSet // none: all
	conditions []HeaderCondition
	guarded    bool
}

// rank says how closely a rule names the methods it takes.
type rank uint8

const (
	named   rank = iota
	implied      // HEAD, by a route that names GET and not HEAD
	unnamed      // all methods
)

// compareRules orders the rules of one leaf. Rules that it finds equal differ
// in their methods, in the conditions they name or in their guards, and stay as
// written.
func compareRules(a, b rule) int {
	return cmp.Or(
		cmp.Compare(a.rank, b.rank),
		cmp.Compare(len(b.conditions), len(a.conditions)),
		compareGuards(a, b),
	)
}

// compareGuards has a rule with a guard come before one without.
func compareGuards(a, b rule) int {
	switch {
	case a.guarded == b.guarded:
		return 0
	case a.guarded:
		return -1
	}
	return 1
}

// holds reports whether a request has all headers the rule asks for.
func (r *rule) holds(req Request) bool {
	for i := range r.conditions {
		c := &r.conditions[i]
		if req == nil || !req.HasHeader(c.Name, c.Value) {
			return false
		}
	}
	return true
}

// normalConditions returns conditions with names in lower case, sorted, each
// once. A value that no field can have is an error.
func normalConditions(written []HeaderCondition) ([]HeaderCondition, error) {
	conditions := make([]HeaderCondition, 0, len(written))
	for _, c := range written {
		if !isToken(c.Name) {
			return nil, errors.New("not a field name")
		}
		if strings.Trim(c.Value, " \t") != c.Value || strings.ContainsAny(c.Value, "\r\n\x00") {
			return nil, errors.New("a field's value neither begins nor ends with white space, and has no line break")
		}
		conditions = append(conditions, HeaderCondition{strings.ToLower(c.Name), c.Value})
	}
	slices.SortFunc(conditions, func(a, b HeaderCondition) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return slices.Compact(conditions), nil
}
