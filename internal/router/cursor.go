package router

import "bytes"

// A cursor visits, in order of precedence, the rules that match one request.
// It goes through the trees of the request's host depth first; what is left to
// do above a node follows from the node, so there is no stack, and going on
// after a rule that was found costs nothing.
type cursor struct {
	node   *node // nil: at the end
	phase  phase
	rules  []rule // of the leaf reached, still to be tried
	path   []byte
	method methodSet
	req    Request

	allowed methodSet // of rules that failed by their method alone

	// starts[i] is where segment i of the path begins. Those up to known+1 are
	// valid: the path is scanned once, and only as far as a tree reaches.
	starts [maxSegments + 2]int32
	known  int
}

// phase is what a cursor does next at its node.
type phase uint8

const (
	atLiteral phase = iota // or at the end of the path
	atCapture
	atRest
	leaving
)

func (c *cursor) start(tree *node, path []byte, method methodSet, req Request) {
	c.node = tree
	c.phase = atLiteral
	c.rules = nil
	c.path = path
	c.method = method
	c.req = req
	c.allowed = 0
	c.known = 0
	c.starts[0] = 1
	if len(path) == 0 || path[0] != '/' {
		c.starts[0] = int32(len(path)) + 1 // no segments
	}
}

// next returns the next rule that matches, or nil.
func (c *cursor) next() *rule {
	for {
		for len(c.rules) > 0 {
			r := &c.rules[0]
			c.rules = c.rules[1:]
			if c.admits(r) {
				return r
			}
		}
		if c.node == nil {
			return nil
		}
		c.rules = c.step()
	}
}

// admits reports whether a rule, whose host and path match, matches. A method
// is allowed only if it is all that is in the way: what a route with other
// headers would take with it is of no use to this client.
func (c *cursor) admits(r *rule) bool {
	if r.rank == unnamed || r.methods&c.method != 0 {
		return r.holds(c.req)
	}
	if r.methods&^c.allowed != 0 && r.holds(c.req) {
		c.allowed |= r.methods
	}
	return false
}

// step takes one step through the trees. If it reaches a leaf that the path
// matches, it returns the rules there.
func (c *cursor) step() []rule {
	n := c.node
	switch c.phase {
	case atLiteral:
		segment, ok := c.segment(n.depth)
		if !ok {
			c.phase = atRest
			return n.exact
		}
		c.phase = atCapture
		if child := n.literal(segment); child != nil {
			c.enter(child)
		}
	case atCapture:
		c.phase = atRest
		if n.capture == nil {
			break
		}
		if segment, _ := c.segment(n.depth); len(segment) > 0 {
			c.enter(n.capture)
		}
	case atRest:
		c.phase = leaving
		return n.rest
	case leaving:
		c.leave(n)
	}
	return nil
}

func (c *cursor) enter(n *node) {
	c.node = n
	c.phase = atLiteral
}

// leave goes back to the parent, to what comes there after n; or from a root
// to the less specific host.
func (c *cursor) leave(n *node) {
	switch {
	case n.parent == nil:
		c.enter(n.fallback)
	case n.captures:
		c.node, c.phase = n.parent, atRest
	default:
		c.node, c.phase = n.parent, atCapture
	}
}

// segment returns segment i of the path, if it has that many.
func (c *cursor) segment(i int) ([]byte, bool) {
	start := int(c.starts[i])
	if start > len(c.path) {
		return nil, false
	}
	if i == c.known {
		end := bytes.IndexByte(c.path[start:], '/')
		if end < 0 {
			end = len(c.path) - start
		}
		c.starts[i+1] = int32(start + end + 1)
		c.known++
	}
	return c.path[start : c.starts[i+1]-1], true
}
