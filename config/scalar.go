package config

import (
	"errors"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// freeText is the key of values that may be empty: those of header fields.
var freeText = key{name: "*"}

// scalar decodes one word: references are replaced, then the text is read as
// the type that the key wants. So weight: ${W} works, and so does a quoted
// number.
func (d *decoder) scalar(n ast.Node, v reflect.Value, k key, at place, path string) {
	text, ok := scalarText(n)
	if !ok {
		d.fail(at, path, "got "+kindOf(n)+", want "+wanted(v.Type()))
		return
	}
	if k.secret {
		d.src.hide(placeOf(n.GetToken()), text)
	}
	written := text
	text, err := d.expander.expand(written)
	if err != nil {
		d.fail(d.referencePlace(err, at), path, err.Error())
		return
	}
	if text == "" && k.name != freeText.name {
		d.fail(at, path, emptiness(written)+", want "+wanted(v.Type()))
		return
	}
	if err := setText(v, text); err != nil {
		d.fail(at, path, err.Error())
		return
	}
	if message := k.checkWritten(v); message != "" {
		d.fail(at, path, message)
		v.SetZero()
	}
}

// emptiness tells why a value is empty: where something is written, it is a
// reference that became nothing.
func emptiness(written string) string {
	if written == "" {
		return "is empty"
	}
	return "is empty, because " + written + " stands for nothing"
}

// checkWritten is check for a value that somebody wrote, whose zero is a zero.
func (k key) checkWritten(v reflect.Value) string {
	switch {
	case v.CanInt() && v.Int() < 0:
		return "must not be negative"
	case v.CanInt() && v.Int() == 0:
		return k.settleZero(v)
	}
	return k.check(v)
}

// wanted names what a scalar of type t looks like.
func wanted(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "a duration such as 30s"
	case reflect.TypeFor[Size]():
		return "a size such as 64KiB"
	case reflect.TypeFor[Percent]():
		return "a share such as 20%"
	case reflect.TypeFor[Delay]():
		return "a duration such as 50ms or a percentile such as p95"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.String:
		return "a string"
	}
	return "an address or a block such as 10.0.0.0/8"
}

// shortForm is implemented by structs that may also be written as one word.
type shortForm interface {
	setShort(text string) error
}

func (d *decoder) shortForm(text string, v reflect.Value, keys []key, at place, path string) {
	short, ok := v.Addr().Interface().(shortForm)
	if !ok {
		d.fail(at, path, "got a string, want a mapping of "+list(names(keys)))
		return
	}
	text, err := d.expander.expand(text)
	if err != nil {
		d.fail(d.referencePlace(err, at), path, err.Error())
		return
	}
	if err := short.setShort(text); err != nil {
		d.fail(at, path, err.Error()+list(names(keys)))
	}
}

func (e *Endpoint) setShort(text string) error {
	if text == "" {
		return errors.New("is empty, want a URL, or a mapping of ")
	}
	e.URL = text
	return nil
}

func (a *Admin) setShort(text string) error {
	a.Off = text == "off"
	return wantOff(text)
}

func (*Attach) setShort(text string) error {
	if text == "off" {
		return errors.New("to let no worker attach, leave it out; else write a mapping of ")
	}
	return errors.New("got " + quote(text) + ", want a mapping of ")
}

func (b *Backpressure) setShort(text string) error {
	b.Off = text == "off"
	return wantOff(text)
}

func (z *Compress) setShort(text string) error {
	switch text {
	case "true":
	case "false", "off":
		z.Off = true
	default:
		return errors.New("got " + quote(text) + ", want true or false, or a mapping of ")
	}
	return nil
}

func (l *AccessLog) setShort(text string) error {
	l.Format = "off"
	return wantOff(text)
}

// wantOff tells what is wrong with a word that stands for a whole section.
func wantOff(text string) error {
	if text != "off" {
		return errors.New("got " + quote(text) + ", want off, or a mapping of ")
	}
	return nil
}
