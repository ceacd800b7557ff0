package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// intro is what stands before the tables, written by hand.
//
//go:embed intro.md
var intro string

// render returns the whole page for the package in folder.
func render(folder string) (string, error) {
	types, err := readSchema(folder)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(intro)
	page := page{Builder: &b, schema: types, recursive: map[string]bool{}}
	if err := page.section("Config", ""); err != nil {
		return "", err
	}
	return b.String(), nil
}

// page is the reference while it is written.
type page struct {
	*strings.Builder
	schema
	recursive map[string]bool // types within themselves that have a section already
}

// section writes the table of a struct, then the sections below it. A struct that
// stands within itself has one section, wherever else it stands.
func (b page) section(name, path string) error {
	if b.contains(name, name, map[string]bool{}) {
		if b.recursive[name] {
			return nil
		}
		b.recursive[name] = true
	}
	rows, err := b.rows(name, path)
	if err != nil {
		return err
	}
	title := "The file"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	b.WriteString("| key | type | default | bound | meaning |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", r.key, cell(r.kind), cell(r.def), cell(r.bound), cell(r.meaning))
	}
	for _, r := range rows {
		if r.structure == "" {
			continue
		}
		if err := b.section(r.structure, r.path); err != nil {
			return err
		}
	}
	return nil
}

// contains tells whether a value of a struct may have one of another below it; it
// looks nowhere twice.
func (s schema) contains(name, other string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	fields, _ := s.fields(name) // an error shows when its rows are listed
	for _, f := range fields {
		below := s.structureOf(f.kind)
		if below == other || below != "" && s.contains(below, other, seen) {
			return true
		}
	}
	return false
}

// cell keeps text from ending its table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
