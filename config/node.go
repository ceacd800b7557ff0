package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

const (
	// maxHops bounds a chain of aliases, which may be a circle.
	maxHops = 16
	// maxNodes bounds what aliases may multiply a file to.
	maxNodes = 1_000_000
)

// entry is a key of a mapping and its value.
type entry struct {
	name   string
	at     place // of the key
	value  ast.Node
	merged bool // came in by <<, and so gives way
}

// anchorFinder collects the anchors of a document.
type anchorFinder map[string]ast.Node

// Visit implements ast.Visitor.
func (f anchorFinder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		f[a.Name.GetToken().Value] = a.Value
	}
	return f
}

// resolve follows anchors and aliases to what they stand for; nil after a
// problem.
func (d *decoder) resolve(n ast.Node, path string) ast.Node {
	at := firstPlace(n)
	for range maxHops {
		switch a := n.(type) {
		case *ast.AnchorNode:
			n = a.Value
		case *ast.AliasNode:
			name := a.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				d.fail(at, path, "there is no anchor &"+name)
				return nil
			}
			n = target
		case nil:
			d.fail(at, path, "has no value")
			return nil
		default:
			return n
		}
	}
	d.fail(at, path, "the alias leads to itself")
	return nil
}

// spend counts a node against the bound, and tells whether to go on.
func (d *decoder) spend(at place, path string) bool {
	if d.nodes++; d.nodes == maxNodes {
		d.fail(at, path, fmt.Sprintf("aliases make this more than %d values", maxNodes))
	}
	return !d.exhausted()
}

// exhausted tells whether decoding was given up, so that nothing more is to be
// said about what it did not get to.
func (d *decoder) exhausted() bool {
	return d.nodes >= maxNodes || len(d.problems) >= maxProblems
}

// entries lists a mapping's keys in the order written, with the keys of merged
// mappings after its own. A key that is written twice is a problem, one that
// overrides a merged one is not.
func (d *decoder) entries(n ast.Node, path string) []entry {
	var all []entry
	seen := map[string]place{}
	for _, e := range d.rawEntries(n, path, 0) {
		first, twice := seen[e.name]
		switch {
		case !twice:
			seen[e.name] = e.at
			all = append(all, e)
		case !e.merged:
			d.fail(e.at, joinKey(path, e.name), fmt.Sprintf("is written twice; first on line %d", first.line))
		}
	}
	return all
}

// rawEntries is entries before duplicates are settled.
func (d *decoder) rawEntries(n ast.Node, path string, depth int) []entry {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	}
	var own, merged []entry
	for _, v := range values {
		at := firstPlace(v.Key)
		if !d.spend(at, path) {
			break
		}
		if v.Key.IsMergeKey() {
			merged = append(merged, d.mergedEntries(v.Value, path, depth+1)...)
			continue
		}
		if name, ok := d.keyName(v.Key, path); ok {
			own = append(own, entry{name: name, at: at, value: v.Value, merged: depth > 0})
		}
	}
	return append(own, merged...)
}

// mergedEntries lists the keys that << brings in, from a mapping or a list of
// them; the earlier win.
func (d *decoder) mergedEntries(n ast.Node, path string, depth int) []entry {
	at := firstPlace(n)
	n = d.resolve(n, path)
	if n == nil {
		return nil
	}
	if depth > maxHops {
		d.fail(at, path, "<< leads to itself")
		return nil
	}
	switch m := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return d.rawEntries(m, path, depth)
	case *ast.SequenceNode:
		var all []entry
		for _, v := range m.Values {
			all = append(all, d.mergedEntries(v, path, depth+1)...)
		}
		return all
	}
	d.fail(at, path, "<< merges a mapping, got "+kindOf(n))
	return nil
}

func (d *decoder) keyName(k ast.MapKeyNode, path string) (string, bool) {
	n := d.resolve(k, path)
	if s, ok := scalarText(n); ok {
		return s, true
	}
	if n != nil {
		d.fail(firstPlace(k), path, "a key is a plain word, got "+kindOf(n))
	}
	return "", false
}

// scalarText returns a scalar as it was written, without quotes: a version 1.10
// stays 1.10 where text is wanted.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func isNull(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok
}

// kindOf names what a node is, for messages.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "a string"
}
