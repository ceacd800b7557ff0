package config

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxProblems is where decoding stops to collect: nobody reads that many.
const maxProblems = 1000

// maxNesting bounds how deep values are nested: an alias can make steps their own
// steps.
const maxNesting = 64

// decoder fills a Config from a document. It goes on after a mistake, leaving
// the value at zero, and remembers where everything stood.
type decoder struct {
	src      *source
	expander *expander
	anchors  anchorFinder
	places   places
	problems Problems
	// failed holds the paths that are wrong already: what Validate would say
	// about them, or about what lies below, is only an echo.
	failed map[string]bool
	nodes  int
	depth  int // of the value that is being decoded
}

func newDecoder(src *source, x *expander) *decoder {
	return &decoder{
		src:      src,
		expander: x,
		anchors:  anchorFinder{},
		places:   places{values: map[string]place{}, keys: map[string]place{}},
		failed:   map[string]bool{},
	}
}

// document decodes the root.
func (d *decoder) document(root ast.Node, cfg *Config) {
	ast.Walk(d.anchors, root)
	d.value(root, reflect.ValueOf(cfg).Elem(), key{}, "")
}

func (d *decoder) fail(at place, path, message string) {
	d.failed[path] = true
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, d.src.problem(at, path, message))
	}
}

// value decodes n into v, whose key is k. The place of v is noted first, so
// that even what fails can be pointed at.
func (d *decoder) value(n ast.Node, v reflect.Value, k key, path string) {
	at := firstPlace(n)
	if path != "" {
		d.places.values[path] = at
	}
	if !d.spend(at, path) {
		return
	}
	if d.depth >= maxNesting {
		d.fail(at, path, "is nested too deeply")
		return
	}
	d.depth++
	defer func() { d.depth-- }()
	n = d.resolve(n, path)
	switch {
	case n == nil:
	case isNull(n) && k.bare:
		v.Set(reflect.New(v.Type().Elem()))
	case isNull(n):
		d.null(at, v, path)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.concrete(n, v.Elem(), k, at, path)
	default:
		d.concrete(n, v, k, at, path)
	}
}

// null is a key with nothing behind it. A section may be empty; a scalar
// without a value is more likely a template that went wrong.
func (d *decoder) null(at place, v reflect.Value, path string) {
	inList := strings.HasSuffix(path, "]") && !strings.HasSuffix(path, `"]`)
	if isScalar(v.Type()) || inList {
		d.fail(at, path, "has no value")
	}
}

func (d *decoder) concrete(n ast.Node, v reflect.Value, k key, at place, path string) {
	switch {
	case isScalar(v.Type()):
		d.scalar(n, v, k, at, path)
	case v.Type() == reflect.TypeFor[Fields]():
		d.fields(n, v, at, path)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, at, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, at, path)
	default:
		d.sequence(n, v, k, at, path)
	}
}

// isScalar tells whether t is written as one word.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	}
	return t == reflect.TypeFor[netip.Prefix]() || t == reflect.TypeFor[Delay]()
}

func (d *decoder) structure(n ast.Node, v reflect.Value, at place, path string) {
	keys := keysOf(v.Type())
	if text, ok := scalarText(n); ok {
		d.shortForm(text, v, keys, at, path)
		return
	}
	if !isMapping(n) {
		d.fail(at, path, "got "+kindOf(n)+", want a mapping of "+list(names(keys)))
		return
	}
	for _, e := range d.entries(n, path) {
		below := joinKey(path, e.name)
		d.places.keys[below] = e.at
		k, ok := find(keys, e.name)
		if !ok {
			d.unknownKey(e, keys, path)
			continue
		}
		d.value(e.value, v.Field(k.index), k, below)
	}
}

// unknownKey also takes the key that was meant, if one can be guessed, for
// written: that it is missing would be no news.
func (d *decoder) unknownKey(e entry, keys []key, path string) {
	legal := names(keys)
	message := "unknown key " + quote(e.name) + didYouMean(e.name, legal)
	d.fail(e.at, joinKey(path, e.name), message+"; legal here: "+list(legal))
	if meant := suggest(e.name, legal); meant != "" {
		d.failed[joinKey(path, meant)] = true
	}
}

func names(keys []key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.name
	}
	return all
}

func find(keys []key, name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, at place, path string) {
	if !isMapping(n) {
		d.fail(at, path, "got "+kindOf(n)+", want a mapping of names to values")
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, e := range d.entries(n, path) {
		below := joinKey(path, e.name)
		d.places.keys[below] = e.at
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, value, freeText, below)
		m.SetMapIndex(reflect.ValueOf(e.name), value)
	}
	v.Set(m)
}

// fields decodes a mapping whose order matters.
func (d *decoder) fields(n ast.Node, v reflect.Value, at place, path string) {
	if !isMapping(n) {
		d.fail(at, path, "got "+kindOf(n)+", want a mapping of names to values")
		return
	}
	entries := d.entries(n, path)
	fields := make(Fields, len(entries))
	for i, e := range entries {
		below := joinKey(path, e.name)
		d.places.keys[below] = e.at
		fields[i].Name = e.name
		d.value(e.value, reflect.ValueOf(&fields[i].Value).Elem(), freeText, below)
	}
	v.Set(reflect.ValueOf(fields))
}

func (d *decoder) sequence(n ast.Node, v reflect.Value, k key, at place, path string) {
	list, ok := n.(*ast.SequenceNode)
	if _, word := scalarText(n); word && k.scalar {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		d.scalar(n, v.Index(0), key{}, at, path)
		return
	}
	if !ok {
		message := "got " + kindOf(n) + ", want a list"
		if text, ok := scalarText(n); ok {
			message += "; write [" + quote(text) + "]"
		} else {
			message += "; put a - before it"
		}
		d.fail(at, path, message)
		return
	}
	s := reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values))
	for i, item := range list.Values {
		if d.exhausted() {
			return
		}
		d.value(item, s.Index(i), key{}, joinIndex(path, i))
	}
	v.Set(s)
}

// maxSearchedLine keeps a file on a single line from being searched as a whole
// for each of its mistakes.
const maxSearchedLine = 64 << 10

// referencePlace is where the text of a failed reference stands, if the line
// shows it, and otherwise where its value begins.
func (d *decoder) referencePlace(err error, at place) place {
	var ref *referenceError
	if !errors.As(err, &ref) || at.line < 1 || at.line > len(d.src.lines) {
		return at
	}
	if len(d.src.lines[at.line-1]) > maxSearchedLine {
		return at
	}
	line := []rune(d.src.lines[at.line-1])
	from := min(at.column-1, len(line))
	if before, _, ok := strings.Cut(string(line[from:]), ref.text); ok {
		at.column += len([]rune(before))
		return at
	}
	return d.blockPlace(ref.text, at)
}

// blockPlace is where a text stands in the lines below at, if a bar or an angle
// there opens them; else it is at.
func (d *decoder) blockPlace(text string, at place) place {
	line := []rune(d.src.lines[at.line-1])
	if at.column > len(line) || !strings.ContainsRune("|>", line[at.column-1]) {
		return at
	}
	for i, line := range d.src.block(at) {
		if before, _, ok := strings.Cut(line[:min(len(line), maxSearchedLine)], text); ok {
			return place{at.line + 1 + i, len([]rune(before)) + 1}
		}
	}
	return at
}
