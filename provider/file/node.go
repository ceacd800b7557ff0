package file

import "github.com/goccy/go-yaml/ast"

// membersOf returns the keys of a mapping with their values.
func membersOf(n ast.Node) (list []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// firstPlace is where a node begins. A mapping's own token is the colon, which is not
// where one looks for it.
func firstPlace(n ast.Node) place {
	switch n := n.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return firstPlace(n.Values[0])
		}
		return placeOf(n.Start)
	case *ast.MappingValueNode:
		return firstPlace(n.Key)
	case *ast.SequenceNode:
		return placeOf(n.Start)
	}
	return placeOf(n.GetToken())
}

// textOf returns a scalar as it is written, without quotes.
func textOf(n ast.Node) string {
	text, _ := scalarOf(n)
	return text
}

// scalarOf returns a text, or what reads like a number but is a text where one is
// wanted: a version is 1.10, and not 1.1.
func scalarOf(n ast.Node) (text string, ok bool) {
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

// kindOf says what a node is, for whoever wrote it.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "an object"
	}
	return "something else"
}
