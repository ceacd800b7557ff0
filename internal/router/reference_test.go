package router

import (
	"cmp"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reference is the table as the contract words it: every route is asked, and
// those that match are sorted. It shares no code with the package.
type reference []Route[int]

// headers is a Request.
type headers []HeaderCondition

func (h headers) HasHeader(name, value string) bool {
	return slices.ContainsFunc(h, func(c HeaderCondition) bool {
		return strings.EqualFold(c.Name, name) && c.Value == value
	})
}

type request struct {
	host, path, method string
	headers            headers
}

// candidates returns the places of all routes that match, best first.
func (r reference) candidates(q request) []int {
	q.host = plainHost(q.host)
	var found []int
	for i, route := range r {
		if r.matches(route, q) && methodRank(route, q.method) >= 0 {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b int) int { return r.compare(a, b, q) })
	return found
}

// allow returns the methods of all routes that match but for theirs.
func (r reference) allow(q request) string {
	q.host = plainHost(q.host)
	var methods []string
	for _, route := range r {
		if r.matches(route, q) {
			methods = append(methods, route.Methods...)
			if slices.Contains(route.Methods, "GET") {
				methods = append(methods, "HEAD")
			}
		}
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ", ")
}

func (r reference) matches(route Route[int], q request) bool {
	if !hostMatches(route.Host, q.host) || !pathMatches(route.Path, q.path) {
		return false
	}
	for _, c := range route.Headers {
		if !q.headers.HasHeader(c.Name, c.Value) {
			return false
		}
	}
	return true
}

func (r reference) compare(a, b int, q request) int {
	x, y := r[a], r[b]
	return cmp.Or(
		cmp.Compare(hostRank(x.Host), hostRank(y.Host)),
		slices.Compare(pathRank(x.Path), pathRank(y.Path)),
		cmp.Compare(methodRank(x, q.method), methodRank(y, q.method)),
		-cmp.Compare(len(x.Headers), len(y.Headers)),
		cmp.Compare(guardRank(x), guardRank(y)),
		cmp.Compare(a, b),
	)
}

var portPattern = regexp.MustCompile(`^(\[[^\]]*\]|[^:]*)(:\d*)?$`)

func asciiLower(s string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 32
		}
		return c
	}, s)
}

func plainHost(host string) string {
	if m := portPattern.FindStringSubmatch(host); m != nil {
		host = m[1]
	}
	return asciiLower(strings.TrimSuffix(host, "."))
}

func hostMatches(pattern, host string) bool {
	if pattern == "" {
		return true
	}
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return len(host) > len(suffix) && strings.HasSuffix(host, suffix)
	}
	return host == pattern
}

// hostRank is less for what is more specific.
func hostRank(pattern string) int {
	switch {
	case pattern == "":
		return 2000
	case pattern[0] == '*':
		return 1000 - len(pattern)
	}
	return 0
}

var octetPattern = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func decode(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return octetPattern.ReplaceAllStringFunc(s, func(s string) string {
		n, _ := strconv.ParseUint(s[1:], 16, 8)
		return string([]byte{byte(n)})
	})
}

// segmentsOf is nil for a path without a slash at its beginning.
func segmentsOf(path string) []string {
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	return strings.Split(path[1:], "/")
}

func pathMatches(pattern, path string) bool {
	want, got := segmentsOf(pattern), segmentsOf(path)
	for i, w := range want {
		switch {
		case w == "*":
			return true
		case i >= len(got):
			return false
		case w != "" && w[0] == '{':
			if got[i] == "" {
				return false
			}
		case decode(w) != decode(got[i]):
			return false
		}
	}
	return len(got) == len(want)
}

// pathRank is, by segment, 0 for a literal or the end, 1 for a capture, 2 for
// the rest. It compares patterns that match the same path.
func pathRank(pattern string) []int {
	var ranks []int
	for _, s := range segmentsOf(pattern) {
		switch {
		case s == "*":
			ranks = append(ranks, 2)
		case s != "" && s[0] == '{':
			ranks = append(ranks, 1)
		default:
			ranks = append(ranks, 0)
		}
	}
	return append(ranks, 0)
}

// guardRank is less for a route that has a guard.
func guardRank(route Route[int]) int {
	if route.Guard != "" {
		return 0
	}
	return 1
}

// methodRank is -1 if the route does not take the method.
func methodRank(route Route[int], method string) int {
	switch {
	case len(route.Methods) == 0:
		return 2
	case slices.Contains(route.Methods, method):
		return 0
	case method == "HEAD" && slices.Contains(route.Methods, "GET"):
		return 1
	}
	return -1
}

var capturePattern = regexp.MustCompile(`\{\w+\}`)

// conflicts reports whether two routes are equal in all that precedence looks
// at, for a method.
func conflicts(a, b Route[int]) bool {
	if a.Host != b.Host {
		return false
	}
	shape := func(r Route[int]) string {
		segments := segmentsOf(capturePattern.ReplaceAllString(r.Path, "{}"))
		for i, s := range segments {
			segments[i] = strconv.Quote(decode(s))
			if s == "{}" || s == "*" {
				segments[i] = s
			}
		}
		return strings.Join(segments, "/")
	}
	sameHeaders := len(a.Headers) == len(b.Headers)
	for _, c := range a.Headers {
		sameHeaders = sameHeaders && headers(b.Headers).HasHeader(c.Name, c.Value)
	}
	sameMethods := len(a.Methods) == 0 && len(b.Methods) == 0
	for _, m := range a.Methods {
		sameMethods = sameMethods || slices.Contains(b.Methods, m)
	}
	return a.Guard == b.Guard && sameHeaders && sameMethods && shape(a) == shape(b)
}

// The words of random routes and requests are few, so that they meet.
var (
	someHosts    = []string{"", "", "a.test", "b.a.test", "*.a.test", "*.b.a.test", "*.test"}
	someSegments = []string{"a", "a", "b", "c", "%61", "a%2Fb", "%C3%A9", ""}
	someMethods  = []string{"GET", "HEAD", "POST", "PUT"}
	someHeaders  = headers{{"X-One", "1"}, {"x-one", "2"}, {"x-two", "1"}}
	someGuards   = []string{"", "", "", "a", "b"}
)

func pick[E any](rng *rand.Rand, from []E) E {
	return from[rng.IntN(len(from))]
}

// subset returns each element with a chance of 1 in n.
func subset[E any](rng *rand.Rand, from []E, n int) []E {
	var some []E
	for _, e := range from {
		if rng.IntN(n) == 0 {
			some = append(some, e)
		}
	}
	return some
}

func randomRoute(rng *rand.Rand) Route[int] {
	var path strings.Builder
	for i := range rng.IntN(5) {
		if rng.IntN(3) == 0 {
			path.WriteString("/{s" + strconv.Itoa(i) + "}")
		} else {
			path.WriteString("/" + pick(rng, someSegments))
		}
	}
	if path.Len() == 0 || rng.IntN(3) == 0 {
		path.WriteString("/*")
	}
	return Route[int]{
		Host:    pick(rng, someHosts),
		Path:    path.String(),
		Methods: subset(rng, someMethods, 6),
		Headers: subset(rng, someHeaders, 6),
		Guard:   pick(rng, someGuards),
	}
}

// randomRoutes returns up to n routes that can stand in one table. The target
// of each is its place.
func randomRoutes(rng *rand.Rand, n int) reference {
	var routes reference
	for range n {
		r := randomRoute(rng)
		r.Target = len(routes)
		if !slices.ContainsFunc(routes, func(other Route[int]) bool { return conflicts(r, other) }) {
			routes = append(routes, r)
		}
	}
	return routes
}

func randomRequest(rng *rand.Rand) request {
	hosts := []string{"a.test", "A.Test:80", "b.a.test.", "c.a.test", "x.b.a.test", "y.test", "other", ""}
	var path strings.Builder
	for range rng.IntN(6) {
		path.WriteString("/" + pick(rng, append(someSegments, "%62", "d", "%zz")))
	}
	return request{
		host:    pick(rng, hosts),
		path:    path.String(),
		method:  pick(rng, append(someMethods, "BREW")),
		headers: subset(rng, someHeaders, 2),
	}
}
