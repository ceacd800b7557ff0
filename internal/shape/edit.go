package shape

import "errors"

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
