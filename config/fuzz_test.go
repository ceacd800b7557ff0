package config

import (
	"encoding"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds what is true of every input: an answer, each problem at a
// place that the file has, and a Config that stands its own checks.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	opts := Options{
		Env:      func(name string) (string, bool) { return name, len(name)%2 == 0 },
		ReadFile: func(path string) ([]byte, error) { return []byte(path + "\n"), nil },
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, warnings, err := Parse("weir.yaml", data, opts)
		if err != nil {
			problems := Problems(nil)
			if !errors.As(err, &problems) || len(problems) == 0 || cfg != nil {
				t.Fatalf("the error is %T with %d problems, beside Config %v", err, len(problems), cfg)
			}
			checkPlaces(t, data, problems)
			return
		}
		checkPlaces(t, data, warnings)
		if again := cfg.WithDefaults(); !reflect.DeepEqual(cfg, again) {
			t.Errorf("defaults filled in twice differ: %+v and %+v", cfg, again)
		}
		if problems := cfg.Validate(); len(problems) > 0 {
			t.Errorf("what was accepted does not validate: %v", problems)
		}
		checkTexts(t, reflect.ValueOf(*cfg))
	})
}

// checkTexts holds that what has a written form is read again from it as it was;
// Off has none.
func checkTexts(t *testing.T, v reflect.Value) {
	t.Helper()
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		again := reflect.New(v.Type())
		off := v.CanInt() && v.Int() == Off
		if err == nil && !off {
			err = again.Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
		}
		if err != nil || !off && again.Elem().Interface() != v.Interface() {
			t.Errorf("%#v is written %s and read again as %#v (%v)", v, text, again.Elem(), err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			checkTexts(t, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkTexts(t, v.Index(i))
		}
	case reflect.Map:
		for _, name := range v.MapKeys() {
			checkTexts(t, v.MapIndex(name))
		}
	case reflect.Struct:
		for _, k := range keysOf(v.Type()) {
			checkTexts(t, v.Field(k.index))
		}
	}
}

func checkPlaces(t *testing.T, data []byte, problems Problems) {
	t.Helper()
	lines := newSource("", data).lines
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(lines)+1 || p.Column < 1 {
			t.Errorf("%d:%d is no place in a file of %d lines: %s", p.Line, p.Column, len(lines), p.Message)
		}
		if p.Message == "" || p.File != "weir.yaml" {
			t.Errorf("a problem without a message or a file: %+v", p)
		}
		if text := p.Error(); strings.ContainsAny(text, "\x00\x1b\r") || utf8.Valid(data) && !utf8.ValidString(text) {
			t.Errorf("%q does not belong on a terminal", text)
		}
	}
}
