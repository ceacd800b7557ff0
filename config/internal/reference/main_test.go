package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReference_IsAsTheSourceSays(t *testing.T) {
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	for output, render := range outputs {
		want, err := render(filepath.Join(root, "config"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, output))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is stale; run go generate ./config", output)
		}
	}
}
