package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A rule is a JSON Schema (2020-12) or a part of one.
//
// A value that may be written in several ways, such as a number and a reference
// that becomes one, lists its types and has the bounds of each: minimum says
// nothing of strings, nor pattern of numbers. Editors complain more to the point
// than they do with anyOf.
type rule map[string]any

const (
	dialect   = "https://json-schema.org/draft/2020-12/schema"
	schemaID  = "https://raw.githubusercontent.com/weirproxy/weir/main/docs/weir.schema.json"
	reference = `|\$\{`
	duration  = `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$`
)

// words are the types of what is taken as text, whatever it looks like.
var words = []string{"string", "number", "boolean"}

// shortForms are structs that may also be written as one word: its types, and the
// words.
var shortForms = map[string]struct {
	types   []string
	pattern string
}{
	"Endpoint":     {[]string{"string"}, `.`},
	"FileProvider": {[]string{"string"}, `.`},
	"Admin":        {[]string{"string"}, `^off$` + reference},
	"Backpressure": {[]string{"string"}, `^off$` + reference},
	"AccessLog":    {[]string{"string"}, `^off$` + reference},
	"Compress":     {[]string{"string", "boolean"}, `^(true|false|off)$` + reference},
}

// renderSchema returns the JSON Schema of the configuration for the package in
// folder.
func renderSchema(folder string) (string, error) {
	types, err := readSchema(folder)
	if err != nil {
		return "", err
	}
	whole := rule{
		"$schema":     dialect,
		"$id":         schemaID,
		"title":       "Weir configuration",
		"description": "Written by go generate ./config from the source of package config.",
		"$ref":        "#/$defs/Config",
	}
	defs := rule{}
	if err := types.define(defs, "Config"); err != nil {
		return "", err
	}
	whole["$defs"] = defs
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(whole)
	return b.String(), err
}

// define puts the rule of a struct, and of all that it refers to, among defs.
func (s schema) define(defs rule, name string) error {
	if defs[name] != nil {
		return nil
	}
	types, properties, required := []string{"object", "null"}, rule{}, []string{}
	def := rule{"properties": properties, "additionalProperties": false}
	defs[name] = def // before its keys: one of them may be of this type
	if short, ok := shortForms[name]; ok {
		types = append(types, short.types...)
		def["pattern"] = short.pattern
	}
	def["type"] = types
	fields, err := s.fields(name)
	if err != nil {
		return err
	}
	for _, f := range fields {
		properties[f.key] = f.rule(s)
		if f.tag.Get("required") != "" {
			required = append(required, f.key)
		}
		if structure := s.structureOf(f.kind); structure != "" {
			if err := s.define(defs, structure); err != nil {
				return err
			}
		}
	}
	if len(required) > 0 {
		def["required"] = required
	}
	return nil
}

// structureOf is the struct type that t is, or is made of; empty if there is none.
func (s schema) structureOf(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return s.structureOf(t.X)
	case *ast.ArrayType:
		return s.structureOf(t.Elt)
	case *ast.MapType:
		return s.structureOf(t.Value)
	case *ast.Ident:
		if kinds[t.Name] == "" && s[t.Name] != nil {
			return t.Name
		}
	}
	return ""
}

// rule is what a key takes, with what editors show of it.
func (f field) rule(s schema) rule {
	r := s.typed(f.kind, f.tag)
	text := plain(f.meaning)
	if zero := f.tag.Get("zero"); zero != "" {
		text += " 0: " + zero + "."
	}
	r["description"] = text
	if def := f.tag.Get("default"); def != "" {
		r["default"] = defaultValue(f.kind, def)
	}
	return r
}

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// plain takes the links out of Markdown.
func plain(text string) string { return link.ReplaceAllString(text, "$1") }

// typed is the rule of a Go type, bounded by a tag.
func (s schema) typed(t ast.Expr, tag reflect.StructTag) rule {
	switch t := t.(type) {
	case *ast.StarExpr:
		return s.typed(t.X, tag)
	case *ast.ArrayType:
		return s.listed(t.Elt, tag)
	case *ast.MapType:
		return rule{"type": []string{"object", "null"}, "additionalProperties": s.typed(t.Value, "")}
	case *ast.SelectorExpr: // netip.Prefix
		return rule{"type": "string", "pattern": `^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$` + reference}
	case *ast.Ident:
		if name := s.structureOf(t); name != "" {
			return rule{"$ref": "#/$defs/" + name}
		}
		return s.word(t.Name, tag)
	}
	panic("reference: no rule for the type of a key")
}

// listed is the rule of a list, whose only element may stand alone if the tag
// says so.
func (s schema) listed(element ast.Expr, tag reflect.StructTag) rule {
	item := s.typed(element, tag)
	if s.structureOf(element) != "" {
		item["not"] = rule{"type": "null"} // a section may be empty, an element not
	}
	list := rule{"type": []string{"array", "null"}, "items": item}
	if tag.Get("scalar") != "true" {
		return list
	}
	types := []string{"array", "null"}
	for key, value := range item {
		if key == "type" {
			types = append(types, asList(value)...)
			continue
		}
		list[key] = value
	}
	list["type"] = types
	if enum := tag.Get("enum"); enum != "" {
		list["pattern"] = `^(` + strings.ReplaceAll(enum, ",", "|") + `)$` + reference
		delete(list, "anyOf")
	}
	return list
}

func asList(v any) []string {
	if list, ok := v.([]string); ok {
		return list
	}
	return []string{v.(string)}
}

// word is the rule of a type that is written as one word, or has a form of its
// own.
func (s schema) word(name string, tag reflect.StructTag) rule {
	zeroBarred := tag.Get("min") != "" && tag.Get("zero") == ""
	switch name {
	case "string", "Expression":
		return textRule(tag)
	case "bool":
		return rule{"type": []string{"boolean", "string"}, "pattern": `^(true|false)$` + reference}
	case "int":
		return intRule(tag)
	case "Duration":
		if zeroBarred {
			return rule{"type": "string", "pattern": duration + reference}
		}
		return rule{"type": []string{"string", "integer"}, "pattern": duration + `|^0$` + reference, "minimum": 0, "maximum": 0}
	case "Delay":
		return rule{"type": "string", "pattern": duration + `|^p[0-9]+(\.[0-9]+)?$` + reference}
	case "Size":
		return rule{"type": []string{"string", "integer"}, "pattern": `^[0-9]+ *(B|[kKMGT]B|[KMGT]iB)?$` + reference, "minimum": 0}
	case "Percent":
		return rule{"type": []string{"string", "number"}, "pattern": `^[0-9]+(\.[0-9]{1,2})? *%$|^0+(\.0*)?$` + reference, "minimum": 0, "maximum": 0}
	case "Fields":
		return rule{"type": []string{"object", "null"}, "additionalProperties": rule{"type": words}}
	case "Expressions":
		return rule{"type": []string{"object", "null"}, "additionalProperties": rule{"type": words, "minLength": 1}}
	case "Usable":
		return s.listed(ast.NewIdent("string"), tag)
	}
	panic("reference: no rule for type " + name)
}

func textRule(tag reflect.StructTag) rule {
	enum := tag.Get("enum")
	if enum == "" {
		return rule{"type": words, "minLength": 1}
	}
	return rule{"type": "string", "anyOf": []rule{
		{"enum": strings.Split(enum, ",")},
		{"pattern": strings.TrimPrefix(reference, "|")},
	}}
}

func intRule(tag reflect.StructTag) rule {
	r := rule{"type": []string{"integer", "string"}, "pattern": `^[0-9]+$` + reference, "minimum": 0}
	if least, err := strconv.Atoi(tag.Get("min")); err == nil && tag.Get("zero") == "" {
		r["minimum"] = least
	}
	if most, err := strconv.Atoi(tag.Get("max")); err == nil {
		r["maximum"] = most
	}
	return r
}

// defaultValue is the default of a key as JSON has it.
func defaultValue(t ast.Expr, text string) any {
	name := ""
	switch t := t.(type) {
	case *ast.ArrayType:
		return strings.Split(text, ",")
	case *ast.Ident:
		name = t.Name
	}
	switch name {
	case "Usable":
		return strings.Split(text, ",")
	case "bool":
		return text == "true"
	case "int":
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return text
}
