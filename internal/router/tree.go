package router

import "slices"

// A node of a tree stands for a beginning of paths: the root for the empty
// one, a child for its parent's and one more segment.
type node struct {
	parent   *node
	fallback *node // of a root: the root of the next less specific host
	depth    int   // segments from the root
	captures bool  // it is its parent's capture, and not one of its literals

	literals map[string]*node // by decoded segment
	capture  *node
	exact    []rule // of patterns that end here
	rest     []rule // of patterns that end here with "*"
}

// leaf returns the rules of a pattern, and makes the nodes on the way.
func (n *node) leaf(p *pattern) *[]rule {
	for _, s := range p.segments {
		n = n.child(s)
	}
	if p.rest {
		return &n.rest
	}
	return &n.exact
}

func (n *node) child(s segment) *node {
	child := n.capture
	if s.capture == "" {
		child = n.literals[s.literal]
	}
	if child != nil {
		return child
	}
	child = &node{parent: n, depth: n.depth + 1, captures: s.capture != ""}
	switch {
	case child.captures:
		n.capture = child
	case n.literals == nil:
		n.literals = map[string]*node{s.literal: child}
	default:
		n.literals[s.literal] = child
	}
	return child
}

// literal returns the child for a request's segment taken literally, or nil.
func (n *node) literal(segment []byte) *node {
	if n.literals == nil {
		return nil
	}
	if isEscaped(segment) {
		return n.unescapedLiteral(segment)
	}
	return n.literals[string(segment)]
}

// unescapedLiteral is literal for a segment with a percent sign. One that is too
// long for the buffer is longer than every literal even when decoded.
func (n *node) unescapedLiteral(segment []byte) *node {
	if len(segment) > 3*maxLiteral {
		return nil
	}
	var buf [3 * maxLiteral]byte
	return n.literals[string(unescape(buf[:0], segment))]
}

// finish puts all rules below the node in their order.
func (n *node) finish() {
	slices.SortStableFunc(n.exact, compareRules)
	slices.SortStableFunc(n.rest, compareRules)
	for _, child := range n.literals {
		child.finish()
	}
	if n.capture != nil {
		n.capture.finish()
	}
}
