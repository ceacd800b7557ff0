package router

// A Match is the outcome of Table.Match, and the place in the table where it
// was found, from which Next goes on. The zero value is ready to use. It
// belongs to one request at a time.
type Match[T any] struct {
	// Target is that of the route found, inside the table: not to be written
	// to. It is nil unless the verdict is Found.
	Target *T

	table  *Table[T]
	route  int
	found  bool // some candidate was
	cursor cursor
}

// Next goes on to the candidate that would have been found if the one before
// were not in the table. It is for a caller that turns a route down for a
// reason of its own. When candidates end after one was found, the verdict is
// NoRoute and never MethodNotAllowed: the method was not what stood in the way.
// A guard that does not hold is such a reason.
func (m *Match[T]) Next() Verdict {
	rule := m.cursor.next()
	if rule != nil {
		m.found = true
		m.route = rule.route
		m.Target = &m.table.targets[rule.route]
		return Found
	}
	m.Target = nil
	if !m.found && m.cursor.allowed != 0 {
		return MethodNotAllowed
	}
	return NoRoute
}

// Route is the place, in what New was given, of the route found.
func (m *Match[T]) Route() int {
	return m.route
}

// Capture returns what the segment {name} of the route's pattern stands for in
// the path: the raw bytes, never empty, not decoded. It is a slice of the path
// that Match was given.
func (m *Match[T]) Capture(name string) ([]byte, bool) {
	if m.Target == nil {
		return nil, false
	}
	for _, c := range m.table.captures[m.route] {
		if c.name == name {
			return m.cursor.segment(c.segment)
		}
	}
	return nil, false
}

// HasCaptures reports whether the route found has captured anything.
func (m *Match[T]) HasCaptures() bool {
	return m.Target != nil && len(m.table.captures[m.route]) > 0
}

// AppendAllow appends the value of an Allow field (RFC 9110, section 10.2.1)
// after the verdict MethodNotAllowed: the methods, sorted, of all routes that
// would have taken the request but for its method.
func (m *Match[T]) AppendAllow(dst []byte) []byte {
	if m.table == nil {
		return dst
	}
	return m.table.methods.append(dst, m.cursor.allowed)
}
