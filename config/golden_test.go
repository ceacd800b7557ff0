package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testOptions is a surrounding that is the same everywhere.
var testOptions = Options{
	Env: func(name string) (string, bool) {
		value, ok := map[string]string{
			"WEIGHT":   "7",
			"TOKEN":    "sesame",
			"BACKEND":  "10.0.0.9",
			"EMPTY":    "",
			"WORD":     "heavy",
			"YAMLISH":  "{a: [1]}",
			"RECURSED": "${TOKEN}",

			"LONG_TOKEN": "open-sesame-open-sesame",
			"VERY_LONG":  strings.Repeat("x", maxToken+1),
		}[name]
		return value, ok
	},
	ReadFile: func(path string) ([]byte, error) { return os.ReadFile(filepath.Join("testdata", path)) },
}

func parseGolden(t *testing.T, file string) (*Config, Problems, error) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel("testdata", file)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(filepath.ToSlash(name), data, testOptions)
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	golden := strings.TrimSuffix(file, ".yaml") + ".txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if got != string(want) {
		t.Errorf("%s says\n%s\nbut the golden file\n%s", file, got, want)
	}
}

func goldenFiles(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files of kind %s: %v", kind, err)
	}
	return files
}

func TestParse_RefusesEachBadFileAsItsGoldenFileSays(t *testing.T) {
	for _, file := range goldenFiles(t, "bad") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, _, err := parseGolden(t, file)
			if err == nil {
				t.Fatalf("%s was accepted", file)
			}
			if cfg != nil {
				t.Errorf("%s gave a Config beside its error", file)
			}
			compareGolden(t, file, err.Error()+"\n")
		})
	}
}

func TestParse_ReadsEachGoodFileAsItsGoldenFileSays(t *testing.T) {
	for _, file := range goldenFiles(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, warnings, err := parseGolden(t, file)
			if err != nil {
				t.Fatalf("%s was refused:\n%v", file, err)
			}
			dump, err := json.MarshalIndent(cfg, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got := string(dump) + "\n"
			if len(warnings) > 0 {
				got = "warnings:\n" + warnings.Error() + "\n\n" + got
			}
			compareGolden(t, file, got)
		})
	}
}
