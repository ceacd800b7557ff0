package shape

import (
	"bytes"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A manner is how a field is changed.
type manner uint8

const (
	setting manner = iota
	adding
	appending
)

// A fieldAction changes one field.
type fieldAction struct {
	name   []byte
	id     exchange.FieldID
	manner manner
	expr   *Expression
	fixed  [][]byte // the values, if they are always the same
}

// fieldWant is what a field takes.
func (m manner) want() want {
	w := want{what: "set", list: "text, a list of texts, a number or a bool", kinds: scalars, texts: true, check: checkField}
	switch m {
	case adding:
		w.what = "add"
	case appending:
		w.what, w.list, w.texts = "append", "text, a number or a bool", false
	}
	return w
}

// checkField checks what is known at load already.
func checkField(val ref.Val) error {
	_, err := lineValues(nil, val, func(b []byte) []byte { return b })
	return err
}

func (a *fieldAction) apply(v *View) error { return a.applyTo(v, v.header()) }

func (a *fieldAction) applyTo(v *View, h *exchange.Header) error {
	values := a.fixed
	if values == nil {
		var err error
		if values, err = a.values(v); err != nil {
			return err
		}
		v.values = values
	}
	switch a.manner {
	case setting:
		setField(h, a.name, a.id, values)
	case adding:
		addField(h, a.name, a.id, values)
	case appending:
		for _, value := range values {
			v.appendField(h, a.name, a.id, value)
		}
	}
	return nil
}

// values returns the values of the field.
func (a *fieldAction) values(v *View) ([][]byte, error) {
	if text, ok := a.expr.textOf(v); ok {
		value, err := lineValue(text)
		if err != nil {
			return nil, err
		}
		return append(v.values[:0], v.Exchange.Keep(value)), nil
	}
	val, err := a.expr.eval(v)
	if err != nil {
		return nil, err
	}
	return lineValues(v.values[:0], val, v.Exchange.Keep)
}

// lineValue returns what is left of a value without white space around it, if that can
// be one: no line ends early, and no control character is in it (RFC 9110 §5.5).
func lineValue(value []byte) ([]byte, error) {
	if len(value) > maxValue {
		return nil, unusable("the value is larger than %d bytes", maxValue)
	}
	value = bytes.Trim(value, " \t")
	if !http1.ValidValue(value) {
		return nil, unusable("the value has a line break or another control character")
	}
	return value, nil
}

// lineValues appends the values of a field, each checked, and copied by keep.
func lineValues(dst [][]byte, val ref.Val, keep func([]byte) []byte) ([][]byte, error) {
	total := 0
	one := func(val ref.Val) error {
		if text, ok := val.(types.String); ok && len(text) > maxValue {
			return unusable("the value is larger than %d bytes", maxValue) // without a copy of it
		}
		var room [128]byte
		text, err := appendText(room[:0], val)
		if err != nil {
			return err
		}
		value, err := lineValue(text)
		if err != nil {
			return err
		}
		if total += len(value); total > maxValue {
			return unusable("the values are larger than %d bytes", maxValue)
		}
		dst = append(dst, keep(value))
		return nil
	}
	list, ok := val.(traits.Lister)
	if !ok {
		return dst, one(val)
	}
	for it := list.Iterator(); it.HasNext() == types.True; {
		if len(dst) >= maxLines {
			return dst, unusable("the list has more than %d texts", maxLines)
		}
		if err := one(it.Next()); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// maxLines bounds how many lines one action makes.
const maxLines = 100

// setField replaces the first line of a name, where it stands, and has the others
// go; what has no line yet comes to the end.
func setField(h *exchange.Header, name []byte, id exchange.FieldID, values [][]byte) {
	next := 0
	for i := range *h {
		f := &(*h)[i]
		if len(f.Name) != len(name) || !exchange.EqualFold(f.Name, name) {
			continue
		}
		if f.Skip = next > 0 || len(values) == 0; !f.Skip {
			f.Value, f.ID = values[0], id
			next = 1
		}
	}
	if next < len(values) {
		addField(h, name, id, values[next:])
	}
}

func addField(h *exchange.Header, name []byte, id exchange.FieldID, values [][]byte) {
	for _, value := range values {
		*h = append(*h, exchange.Field{Name: name, Value: value, ID: id})
	}
}

// appendField adds a value to the list in the last line of a name.
func (v *View) appendField(h *exchange.Header, name []byte, id exchange.FieldID, value []byte) {
	for i := len(*h) - 1; i >= 0; i-- {
		f := &(*h)[i]
		if f.Skip || len(f.Name) != len(name) || !exchange.EqualFold(f.Name, name) {
			continue
		}
		if len(f.Value) == 0 {
			f.Value = value
			return
		}
		joined := make([]byte, 0, len(f.Value)+2+len(value))
		joined = append(append(append(joined, f.Value...), ", "...), value...)
		f.Value = joined
		return
	}
	addField(h, name, id, [][]byte{value})
}

// A removeAction removes all lines of a field.
type removeAction struct{ name []byte }

func (a *removeAction) apply(v *View) error {
	h := *v.header()
	for i := range h {
		if len(h[i].Name) == len(a.name) && exchange.EqualFold(h[i].Name, a.name) {
			h[i].Skip = true
		}
	}
	return nil
}
