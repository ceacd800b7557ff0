package shape

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// mergeJSON returns doc with a patch merged into what is at a path, as RFC 7396
// has it: null removes, maps are merged, and the rest replaces.
func mergeJSON(doc []byte, p path, patch traits.Mapper, limit int) ([]byte, error) {
	e := &edit{doc: doc, limit: limit}
	if err := e.mergeAt(skipSpace(doc, 0), p, patch); err != nil {
		return doc, err
	}
	return e.result(), nil
}

func (e *edit) mergeAt(i int, p path, patch traits.Mapper) error {
	if len(p) == 0 {
		if e.doc[i] != '{' {
			return errNoPlace
		}
		return e.merge(i, patch, 0)
	}
	found, all, err := e.find(i, p[0], true)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		value, err := e.fresh(patch, 0)
		if err != nil {
			return err
		}
		return e.insert(i, all, p, value)
	}
	for _, it := range found {
		if err := e.mergeAt(it.value, p[1:], patch); err != nil {
			return err
		}
	}
	return nil
}

// merge merges a patch into the object that starts at i.
func (e *edit) merge(i int, patch traits.Mapper, depth int) error {
	entries, err := entriesOf(patch)
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return unusable("the patch is deeper than %d", maxDepth)
	}
	at := make(map[string]int, len(entries))
	for n, entry := range entries {
		at[entry.name] = n
	}
	all := items(e.doc, i)
	seen := make([]bool, len(entries))
	m := merging{edit: e, depth: depth}
	for n, it := range all {
		k, named := at[nameOf(e.doc, it)]
		if !named {
			m.stayed = true
			continue
		}
		seen[k] = true
		if err := m.member(all, n, entries[k].val); err != nil {
			return err
		}
	}
	return m.rest(i, all, entries, seen)
}

// merging is one object that a patch is merged into.
type merging struct {
	edit   *edit
	depth  int
	stayed bool // one of the members before stays
}

// member merges into the member all[n].
func (m *merging) member(all []item, n int, val ref.Val) error {
	it, e := all[n], m.edit
	if val == types.NullValue {
		switch {
		case m.stayed:
			e.splice(all[n-1].end, it.end, nil)
		case n+1 < len(all):
			e.splice(it.start, all[n+1].start, nil)
		default:
			e.splice(it.start, it.end, nil)
		}
		return nil
	}
	m.stayed = true
	if inner, ok := asMap(val); ok && e.doc[it.value] == '{' {
		return e.merge(it.value, inner, m.depth+1)
	}
	value, err := e.fresh(val, m.depth+1)
	if err != nil {
		return err
	}
	e.splice(it.value, it.end, value)
	return nil
}

// rest adds the entries that have no member yet.
func (m *merging) rest(i int, all []item, entries []entry, seen []bool) error {
	var with []byte
	for n, entry := range entries {
		if seen[n] || entry.val == types.NullValue {
			continue
		}
		value, err := m.edit.fresh(entry.val, m.depth+1)
		if err != nil {
			return err
		}
		if m.stayed {
			with = append(with, ',')
		}
		m.stayed = true
		with = append(member(with, entry.name, 0), value...)
	}
	if with == nil {
		return nil
	}
	at := i + 1
	if len(all) > 0 {
		at = all[len(all)-1].end
	}
	m.edit.splice(at, at, with)
	return nil
}

// fresh returns a value of a patch as JSON where nothing was before: what it
// removes is not there (RFC 7396 §2).
func (e *edit) fresh(val ref.Val, depth int) ([]byte, error) {
	inner, ok := asMap(val)
	if !ok {
		return appendJSON(nil, val, e.limit)
	}
	if depth > maxDepth {
		return nil, unusable("the patch is deeper than %d", maxDepth)
	}
	entries, err := entriesOf(inner)
	if err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for _, entry := range entries {
		if entry.val == types.NullValue {
			continue
		}
		value, err := e.fresh(entry.val, depth+1)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(member(out, entry.name, 0), value...)
		if len(out) > e.limit {
			return nil, unusable("the patch is larger than %d bytes", e.limit)
		}
	}
	return append(out, '}'), nil
}

// asMap returns a value as a map, if it is one.
func asMap(val ref.Val) (traits.Mapper, bool) {
	if m, ok := val.(*mapping); ok {
		return m.whole(), true
	}
	m, ok := val.(traits.Mapper)
	return m, ok
}
