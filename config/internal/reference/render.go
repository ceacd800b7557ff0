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
	if err := types.section(&b, "Config", ""); err != nil {
		return "", err
	}
	return b.String(), nil
}

// section writes the table of a struct, then the sections below it.
func (s schema) section(b *strings.Builder, name, path string) error {
	rows, err := s.rows(name, path)
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
		if err := s.section(b, r.structure, r.path); err != nil {
			return err
		}
	}
	return nil
}

// cell keeps text from ending its table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
