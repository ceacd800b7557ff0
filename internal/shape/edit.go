package shape

import (
	"errors"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// An edit changes places of a document, and leaves all other bytes as they are.
// Of a member whose name stands there several times all are changed: readers
// differ in which of them they take.
type edit struct {
	doc     []byte
	splices []splice // from front to back
	limit   int      // of what a patch is written as
}

// A splice replaces doc[start:end].
type splice struct {
	start, end int
	with       []byte
}

// errNoPlace: the path leads through what has no members, or behind the end of an
// array.
var errNoPlace = errors.New("the document has no such place")

func (e *edit) splice(start, end int, with []byte) {
	e.splices = append(e.splices, splice{start, end, with})
}

// result returns the document as it was changed.
func (e *edit) result() []byte {
	if len(e.splices) == 0 {
		return e.doc
	}
	size := len(e.doc)
	for _, s := range e.splices {
		size += len(s.with)
	}
	out, at := make([]byte, 0, size), 0
	for _, s := range e.splices {
		out = append(append(out, e.doc[at:s.start]...), s.with...)
		at = s.end
	}
	return append(out, e.doc[at:]...)
}

// setJSON returns doc with a value at a path. What is missing on the way is made.
func setJSON(doc []byte, p path, value []byte) ([]byte, error) {
	e := &edit{doc: doc}
	if err := e.set(skipSpace(doc, 0), p, value); err != nil {
		return doc, err
	}
	return e.result(), nil
}

// set sets the value at p within the value that starts at i.
func (e *edit) set(i int, p path, value []byte) error {
	found, all, err := e.find(i, p[0], true)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return e.insert(i, all, p, value)
	}
	for _, it := range found {
		if len(p) == 1 {
			e.splice(it.value, it.end, value)
		} else if err := e.set(it.value, p[1:], value); err != nil {
			return err
		}
	}
	return nil
}

// find returns the items that a segment names, and all there are.
func (e *edit) find(i int, segment string, set bool) (found, all []item, err error) {
	switch e.doc[i] {
	case '{':
		all = items(e.doc, i)
		for _, it := range all {
			if nameOf(e.doc, it) == segment {
				found = append(found, it)
			}
		}
		return found, all, nil
	case '[':
		all = items(e.doc, i)
		n, ok := index(segment, len(all))
		if segment == "-1" && !set {
			n--
		}
		if !ok || n > len(all) {
			return nil, all, errNoPlace
		}
		if n >= 0 && n < len(all) {
			found = all[n : n+1]
		}
		return found, all, nil
	}
	return nil, nil, errNoPlace
}

// insert adds what p leads to behind the items of the value that starts at i.
func (e *edit) insert(i int, all []item, p path, value []byte) error {
	for n := len(p) - 1; n > 0; n-- {
		switch _, number := index(p[n], 0); {
		case p[n] == "0" || p[n] == "-1":
			value = append(append([]byte{'['}, value...), ']')
		case number:
			return errNoPlace // there would be a gap before it
		default:
			value = append(append(member(nil, p[n], '{'), value...), '}')
		}
	}
	at := i + 1
	var with []byte
	if len(all) > 0 {
		at = all[len(all)-1].end
		with = append(with, ',')
	}
	if e.doc[i] == '{' {
		with = member(with, p[0], 0)
	}
	e.splice(at, at, append(with, value...))
	return nil
}

// member appends the beginning of a member, behind a bracket if one is given.
func member(dst []byte, name string, bracket byte) []byte {
	if bracket != 0 {
		dst = append(dst, bracket)
	}
	return append(appendString(dst, name), ':')
}

// removeJSON returns doc without what is at a path, if anything is.
func removeJSON(doc []byte, p path) []byte {
	e := &edit{doc: doc}
	e.remove(skipSpace(doc, 0), p)
	return e.result()
}

func (e *edit) remove(i int, p path) {
	found, all, err := e.find(i, p[0], false)
	if err != nil || len(found) == 0 {
		return
	}
	if len(p) > 1 {
		for _, it := range found {
			e.remove(it.value, p[1:])
		}
		return
	}
	e.drop(all, func(it item) bool {
		if e.doc[i] == '[' {
			return it == found[0]
		}
		return nameOf(e.doc, it) == p[0]
	})
}

// drop removes those of the items that are gone, each with the comma between it
// and one that stays.
func (e *edit) drop(all []item, gone func(item) bool) {
	stayed := false
	for n, it := range all {
		switch {
		case !gone(it):
			stayed = true
		case stayed:
			e.splice(all[n-1].end, it.end, nil)
		case n+1 < len(all):
			e.splice(it.start, all[n+1].start, nil)
		default:
			e.splice(it.start, it.end, nil)
		}
	}
}

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
