package router

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A builder adds routes to the parts of a table, and collects what is wrong.
type builder struct {
	hosts   *hosts
	methods *methods
	claims  map[claim]int // the route that was first
	routes  []claimant
	errs    []error
}

// written is a route as its author wrote it, without its target.
type written struct {
	host, path string
	methods    []string
	headers    []HeaderCondition
	guard      string
}

// A claim is all that precedence looks at, for one method or, if that is
// empty, for all. Two routes with a claim in common are ambiguous.
type claim struct {
	host, shape, headers, guard, method string
}

// A claimant is a route as an error shows it.
type claimant struct {
	name, host, path string
}

// add takes one route in, and returns the captures of its path.
func (b *builder) add(i int, name string, w written) []capture {
	if name == "" {
		name = fmt.Sprintf("routes[%d]", i)
	}
	b.routes = append(b.routes, claimant{name, w.host, w.path})
	before := len(b.errs)

	host, err := parseHost(w.host)
	b.check(i, "host", w.host, err)
	path, err := parsePattern(w.path)
	b.check(i, "path", w.path, err)
	set, err := b.methods.set(w.methods)
	b.check(i, "methods", strings.Join(w.methods, ", "), err)
	conditions, err := normalConditions(w.headers)
	b.check(i, "headers", showConditions(w.headers), err)
	if len(b.errs) > before {
		return nil
	}

	leaf := b.hosts.tree(host).leaf(&path)
	*leaf = append(*leaf, b.rules(rule{i, unnamed, set, conditions, w.guard != ""})...)
	b.claim(i, w.methods, claim{host: host, shape: path.shape(), headers: showConditions(conditions), guard: w.guard})
	return path.captures()
}

// rules returns the one rule of a route, or two if it implies HEAD: a route
// that names HEAD comes before one that has it by GET.
func (b *builder) rules(r rule) []rule {
	if r.methods == 0 {
		return []rule{r}
	}
	r.rank = named
	rules := []rule{r}
	if r.methods&b.methods.find([]byte("GET")) == 0 {
		return rules
	}
	head, err := b.methods.set([]string{"HEAD"})
	b.check(r.route, "methods", "GET", err)
	if r.methods&head == 0 {
		r.rank, r.methods = implied, head
		rules = append(rules, r)
	}
	return rules
}

// claim notes what the route takes, and reports those that took it before.
func (b *builder) claim(i int, methods []string, c claim) {
	if len(methods) == 0 {
		methods = []string{""}
	}
	shared := make(map[int][]string)
	for _, c.method = range slices.Compact(slices.Sorted(slices.Values(methods))) {
		if first, taken := b.claims[c]; taken {
			shared[first] = append(shared[first], c.method)
		} else {
			b.claims[c] = i
		}
	}
	for _, first := range slices.Sorted(maps.Keys(shared)) {
		b.errs = append(b.errs, b.conflict(first, i, shared[first], c))
	}
}

func (b *builder) check(i int, field, value string, err error) {
	if err != nil {
		b.errs = append(b.errs, &PatternError{i, field, fmt.Sprintf("%s: %s %q: %v", b.routes[i].name, field, value, err)})
	}
}
