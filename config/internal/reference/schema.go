package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// row is one key of the reference.
type row struct {
	key, kind, def, bound, meaning string
	path                           string // of keys above, if it opens a section
	structure                      string // the Go type of that section
}

// schema is the struct types of package config, by name.
type schema map[string]*ast.StructType

// readSchema parses the package in folder, without its tests.
func readSchema(folder string) (schema, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	types := schema{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					types[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return types, nil
}

// field is a key of a struct type as its source has it.
type field struct {
	key     string
	kind    ast.Expr
	tag     reflect.StructTag
	meaning string
}

// fields lists the keys of a struct type in the order of its source.
func (s schema) fields(name string) ([]field, error) {
	var fields []field
	for _, f := range s[name].Fields.List {
		if f.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		tag := reflect.StructTag(text)
		key := tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		meaning := strings.Join(strings.Fields(f.Doc.Text()), " ")
		if meaning == "" {
			return nil, fmt.Errorf("%s.%s has no comment to say what it means", name, key)
		}
		fields = append(fields, field{key, f.Type, tag, meaning})
	}
	return fields, nil
}

// rows lists the keys of a struct type as the reference shows them.
func (s schema) rows(name, path string) ([]row, error) {
	fields, err := s.fields(name)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(fields))
	for i, f := range fields {
		r := row{key: f.key, def: defaultOf(f.tag), bound: boundOf(f.tag), meaning: f.meaning}
		s.describe(&r, f.kind, path)
		if isList(f.kind) {
			r.list(f.tag)
		}
		rows[i] = r
	}
	return rows, nil
}

func isList(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.ArrayType:
		return true
	case *ast.Ident:
		return t.Name == "Usable"
	}
	return false
}

// list puts what is special about a list as the file has it.
func (r *row) list(tag reflect.StructTag) {
	if def := tag.Get("default"); def != "" {
		r.def = "`[" + strings.ReplaceAll(def, ",", ", ") + "]`"
	}
	if tag.Get("scalar") == "true" {
		r.kind += ", or one alone"
	}
}

// describe fills in the type of a key, and the section that it opens.
func (s schema) describe(r *row, t ast.Expr, path string) {
	below := strings.TrimPrefix(path+"."+r.key, ".")
	switch t := t.(type) {
	case *ast.StarExpr:
		s.describe(r, t.X, path)
	case *ast.ArrayType:
		element := row{key: r.key}
		s.describe(&element, t.Elt, path)
		r.kind = "list of " + plural(element.kind)
		r.path, r.structure = below+"[]", element.structure
	case *ast.MapType:
		element := row{key: r.key}
		s.describe(&element, t.Value, path)
		r.kind = "mapping of names to " + plural(element.kind)
		r.path, r.structure = below+".NAME", element.structure
	case *ast.SelectorExpr:
		r.kind = "address or block" // netip.Prefix is the only one
	case *ast.Ident:
		if r.kind = kinds[t.Name]; r.kind == "" && s[t.Name] != nil {
			r.kind, r.path, r.structure = "mapping", below, t.Name
		}
	}
}

// kinds names Go types as users of the file know them.
var kinds = map[string]string{
	"string":   "string",
	"bool":     "true or false",
	"int":      "number",
	"Duration": "duration",
	"Size":     "size",
	"Percent":  "share",
	"Delay":    "delay",
	"Fields":   "mapping of field names to values, in order",

	"Expression":  "expression",
	"Expressions": "mapping of names to expressions, in order",
	"Usable":      "list of strings",
}

func plural(kind string) string {
	if kind == "address or block" {
		return "addresses or blocks"
	}
	return kind + "s"
}

func defaultOf(tag reflect.StructTag) string {
	switch def := tag.Get("default"); {
	case def != "":
		return "`" + def + "`"
	case tag.Get("required") != "":
		return "required"
	}
	return ""
}

func boundOf(tag reflect.StructTag) string {
	var parts []string
	if enum := tag.Get("enum"); enum != "" {
		parts = append(parts, "`"+strings.ReplaceAll(enum, ",", "`, `")+"`")
	}
	least, most := tag.Get("min"), tag.Get("max")
	switch {
	case least != "" && most != "":
		parts = append(parts, "`"+least+"` to `"+most+"`")
	case least != "":
		parts = append(parts, "at least `"+least+"`")
	case most != "":
		parts = append(parts, "at most `"+most+"`")
	}
	if zero := tag.Get("zero"); zero != "" {
		parts = append(parts, "`0`: "+zero)
	}
	return strings.Join(parts, "; ")
}
