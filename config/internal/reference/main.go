// Command reference writes docs/reference/configuration.md and, for editors,
// docs/weir.schema.json from the source of package config: keys, defaults and
// bounds from the struct tags, meanings from the comments of the fields.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// outputs are where what is written lies in the project.
var outputs = map[string]func(folder string) (string, error){
	"docs/reference/configuration.md": render,
	"docs/weir.schema.json":           renderSchema,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := projectRoot()
	if err != nil {
		return err
	}
	for output, render := range outputs {
		text, err := render(filepath.Join(root, "config"))
		if err != nil {
			return err
		}
		file := filepath.Join(root, output)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// projectRoot is the folder of go.mod, at or above the present one: go generate
// runs in the package, go run wherever the user stands.
func projectRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod at or above the present folder")
		}
		folder = parent
	}
}
