package config

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// hidden stands in place of a secret that is shown.
const hidden = "xxxxx"

// Redacted returns c as a file would have it, as maps, lists and scalars, for people
// to see what is in force: with all defaults, and without what is secret. Header
// fields count as secret if their names sound like it.
func (c *Config) Redacted() any { return shown(reflect.ValueOf(*c.WithDefaults())) }

// shown returns a value as a file would have it; nil if it is left out.
func shown(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		return shown(v.Elem())
	}
	if fields, ok := v.Interface().(Fields); ok {
		return shownFields(fields)
	}
	if text, ok := v.Interface().(encoding.TextMarshaler); ok {
		return shownScalar(v, text)
	}
	switch v.Kind() {
	case reflect.Struct:
		return shownSection(v)
	case reflect.Map:
		m := map[string]any{}
		for _, name := range v.MapKeys() {
			m[name.String()] = shown(v.MapIndex(name))
		}
		return m
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = shown(v.Index(i))
		}
		return list
	case reflect.String:
		return escaped(v.String())
	case reflect.Int:
		return max(0, v.Int()) // Off is written as 0
	default:
		return v.Interface()
	}
}

func shownSection(v reflect.Value) any {
	if off := v.FieldByName("Off"); off.IsValid() && off.Bool() {
		return "off"
	}
	m := map[string]any{}
	for _, k := range keysOf(v.Type()) {
		f := v.Field(k.index)
		switch value := shown(f); {
		case value == nil, f.IsZero() && k.leftOut(f):
		case k.secret && !f.IsZero():
			m[k.name] = hidden
		default:
			m[k.name] = value
		}
	}
	return m
}

// leftOut tells whether nothing is written where v is zero.
func (k key) leftOut(v reflect.Value) bool {
	return v.Kind() == reflect.String || v.Kind() == reflect.Map || v.Kind() == reflect.Slice
}

func shownScalar(v reflect.Value, text encoding.TextMarshaler) any {
	if v.CanInt() && v.Int() < 0 {
		v = reflect.Zero(v.Type()) // Off is written as 0
		text = v.Interface().(encoding.TextMarshaler)
	}
	b, err := text.MarshalText()
	if err != nil {
		return nil
	}
	return string(b)
}

func shownFields(fields Fields) any {
	m := make(orderedMap, len(fields))
	for i, f := range fields {
		m[i] = Field{f.Name, escaped(f.Value)}
		if soundsSecret(f.Name) {
			m[i].Value = hidden
		}
	}
	return m
}

// An orderedMap is a map as JSON, in the order of the file: what is computed first
// may be read by what comes behind it.
type orderedMap []Field

// MarshalJSON implements json.Marshaler.
func (m orderedMap) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range m {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// escaped returns text as a file has it, where ${ would be a reference.
func escaped(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// soundsSecret tells by its name whether a field carries a secret: hiding one too many
// does less harm than showing one.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "key", "secret", "passw", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
