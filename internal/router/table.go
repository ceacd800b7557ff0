package router

import "errors"

// A Table is an immutable set of routes. It is safe for concurrent use; to
// change routes, build another and swap the pointer.
type Table[T any] struct {
	hosts    hosts
	methods  methods
	targets  []T
	captures [][]capture // by route
}

// A Verdict is the outcome of a lookup.
type Verdict uint8

const (
	// NoRoute: nothing takes the request, whatever its method. It is a 404.
	NoRoute Verdict = iota
	// Found: Match.Target takes it.
	Found
	// MethodNotAllowed: it would be taken with another method. It is a 405,
	// and Match.AppendAllow gives the value of Allow.
	MethodNotAllowed
)

// New builds the table of routes. If some are malformed, or equal in all that
// precedence looks at, the error joins (errors.Join) one *PatternError or
// *ConflictError for each.
func New[T any](routes []Route[T]) (*Table[T], error) {
	t := &Table[T]{
		hosts:    newHosts(),
		targets:  make([]T, len(routes)),
		captures: make([][]capture, len(routes)),
	}
	b := builder{hosts: &t.hosts, methods: &t.methods, claims: make(map[claim]int)}
	for i := range routes {
		r := &routes[i]
		t.targets[i] = r.Target
		t.captures[i] = b.add(i, r.Name, written{r.Host, r.Path, r.Methods, r.Headers, r.Guard})
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	t.hosts.finish()
	return t, nil
}

// Match finds the route that takes a request, and leaves it in m, which may be
// used again and again. It allocates nothing.
//
// The host is the Host field or :authority as received, with or without a
// port; the path is the raw path that will be forwarded, without the query.
// Both, and req, are kept in m until the next Match. If req is nil, header
// conditions do not hold.
//
// A path that does not begin with a slash ("*", or none at all) is matched by
// the pattern "/*" only.
func (t *Table[T]) Match(host, path, method []byte, req Request, m *Match[T]) Verdict {
	m.table = t
	m.found = false
	m.cursor.start(t.hosts.find(host), path, t.methods.find(method), req)
	return m.Next()
}
