package shape

import (
	"bytes"

	"github.com/google/cel-go/common/types"
)

// A jsonAction changes the content, if it is a JSON object.
type jsonAction struct {
	changes []change
}

// A change is one change of a document: an expression set or merged at a path, or,
// without an expression, what is removed.
type change struct {
	path  path
	expr  *Expression
	merge bool
}

var (
	wantJSON  = want{}
	wantMerge = want{what: "merge", list: "a map", kinds: []types.Kind{types.MapKind}}
)

func (a *jsonAction) apply(v *View) error {
	c := v.content(v.side)
	switch {
	case v.failure != nil:
		return v.failure
	case c.reason != nil:
		return c.reason
	case c.json == nil: // there is no content
		return nil
	case !isObject(c.json):
		return errNotJSON
	}
	doc := c.json
	for i := range a.changes {
		var err error
		if doc, err = a.changes[i].do(v, doc); err != nil {
			return err
		}
		if len(doc) > v.compiler.maxContent {
			return errTooLarge
		}
	}
	if bytes.Equal(doc, c.json) {
		return nil
	}
	return v.replaceContent(v.side, doc)
}

func (c *change) do(v *View, doc []byte) ([]byte, error) {
	if c.expr == nil {
		return removeJSON(doc, c.path), nil
	}
	val, err := c.expr.eval(v)
	if err != nil {
		return nil, err
	}
	limit := v.compiler.maxContent
	if c.merge {
		patch, ok := asMap(val)
		if !ok {
			return nil, unusable("this is %s; merge wants a map", describe(val.Type()))
		}
		return placed(mergeJSON(doc, c.path, patch, limit))
	}
	value, err := appendJSON(nil, val, limit)
	if err != nil {
		return nil, err
	}
	return placed(setJSON(doc, c.path, value))
}

// placed counts a document that has no such place as one that is not what the step
// changes.
func placed(doc []byte, err error) ([]byte, error) {
	if err == errNoPlace {
		err = &EvalError{Reason: SkippedNotJSON, Err: err}
	}
	return doc, err
}
