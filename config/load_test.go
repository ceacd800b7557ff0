package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) (*Config, Problems, Problems) {
	t.Helper()
	cfg, warnings, err := Parse("weir.yaml", []byte(text), testOptions)
	var problems Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatalf("the error is a %T, want Problems", err)
	}
	return cfg, warnings, problems
}

func TestLoad_NamesTheUnknownKeyAndSuggestsTheNearest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(file, []byte("services:\n  web:\n    endpionts: [http://a:1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(file)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Fatalf("got %v, want one problem", err)
	}
	p := problems[0]
	if p.File != file || p.Line != 3 || p.Column != 5 || p.Path != "services.web.endpionts" {
		t.Errorf("the problem stands at %s:%d:%d %s, want %s:3:5 services.web.endpionts", p.File, p.Line, p.Column, p.Path, file)
	}
	if !strings.Contains(p.Message, "did you mean endpoints?") {
		t.Errorf("%q suggests no endpoints", p.Message)
	}
}

func TestLoad_TellsThatTheFileIsMissing(t *testing.T) {
	_, _, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}

func TestLoad_ReadsReferencedFilesBesideTheConfiguration(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"weir.yaml": `admin: { token: "${file:secrets/token}" }`,
		"token":     "two\n\n",
	} {
		path := filepath.Join(folder, name)
		if name == "token" {
			path = filepath.Join(folder, "secrets", name)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := Load(filepath.Join(folder, "weir.yaml"))
	if err == nil || !strings.Contains(err.Error(), "admin.token: a token has visible ASCII") {
		t.Errorf("got %v, want the second newline to be kept and refused", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "secrets", "token"), []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load(filepath.Join(folder, "weir.yaml"))
	if err != nil || cfg.Admin.Token != "one" {
		t.Errorf("got %v and %v, want the token without its newline", cfg, err)
	}
}

func TestParse_RefusesAFileBeyondTheBound(t *testing.T) {
	_, _, err := Parse("weir.yaml", make([]byte, maxFileBytes+1), testOptions)
	if err == nil || err.Error() != "weir.yaml: the file is larger than 16MiB" {
		t.Errorf("got %v", err)
	}
}

func TestParse_RefusesWhatWouldExhaustTheParser(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine and much time; make test has it")
	}
	const many = 200_000
	for name, text := range map[string]string{
		"nested too deeply":                   strings.Repeat("[", many),
		"nested too deeply ":                  strings.Repeat("- ", many),
		"more than 10000 keys in one mapping": strings.Repeat("k: 1\n", many),
		"more than 1000 anchors":              strings.Repeat("&a ", many),
		"tags are not supported":              strings.Repeat("!a\n", many),
		"a second document":                   strings.Repeat("---\na: 1\n", many),
		"? is not supported":                  strings.Repeat("? ", many),
	} {
		began := time.Now()
		_, _, problems := parse(t, text)
		if len(problems) != 1 || !strings.Contains(problems[0].Message, strings.TrimSpace(name)) {
			t.Errorf("got %v, want: %s", problems, name)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: it took %v to say so", name, took)
		}
	}
}

func TestParse_AnswersSoonWhateverIsRepeated(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine and much time; make test has it")
	}
	const many = 100_000
	for name, text := range map[string]string{
		"list":           "trusted_proxies: [" + strings.Repeat("10.0.0.1, ", many) + "]",
		"wrong list":     "trusted_proxies: [" + strings.Repeat("x, ", many) + "]",
		"flow mapping":   "{" + strings.Repeat("key: 1, ", many) + "}",
		"references":     "trusted_proxies: [" + strings.Repeat("'${NOT_SET}', ", many) + "]",
		"entries":        strings.Repeat("- a: 1\n", many),
		"colons in flow": "{trusted_proxies: [" + strings.Repeat("a:b, ", many) + "]}",
		"one word":       "paths: " + strings.Repeat("x", 20*many),
	} {
		began := time.Now()
		parse(t, text)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: it took %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

func TestParse_BoundsWhatAliasesMultiplyTo(t *testing.T) {
	text := "services:\n  a: &a\n    endpoints: &e\n" + strings.Repeat("      - http://a:1\n", 2000)
	for i := range 2000 {
		text += "  s" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + ": *a\n"
	}
	_, _, problems := parse(t, text)
	if len(problems) == 0 || !strings.Contains(problems.Error(), "aliases make this more than") {
		t.Errorf("got %d problems, want one about the aliases", len(problems))
	}
}

func TestParse_BoundsWhatReferencesGrowTo(t *testing.T) {
	opts := Options{ReadFile: func(string) ([]byte, error) { return make([]byte, 1<<20), nil }}
	text := "admin:\n  hosts:\n" + strings.Repeat("    - \"${file:big}\"\n", 100)
	_, _, err := Parse("weir.yaml", []byte(text), opts)
	var problems Problems
	if !errors.As(err, &problems) || !strings.Contains(problems[len(problems)-1].Message, "all references together give more than 64MiB") {
		t.Errorf("got %.200v", err)
	}
}

func TestParse_ReadsThousandsOfServicesInReasonableTime(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n")
	var routes strings.Builder
	for i := range 3000 {
		name := "s" + strings.Repeat("i", i%50) + "-" + strings.Repeat("k", i/50)
		b.WriteString("  " + name + ":\n    endpoints: [http://a:1, http://b:1]\n    timeouts: { read: 5s }\n")
		routes.WriteString("  - match: { path: /" + name + "/* }\n    service: " + name + "\n")
	}
	began := time.Now()
	cfg, _, problems := parse(t, b.String()+"routes:\n"+routes.String())
	if len(problems) > 0 || len(cfg.Services) != 3000 {
		t.Fatalf("got %v", problems)
	}
	t.Logf("3000 services took %v", time.Since(began))
}

func TestParse_DoesNotRepeatSecretsInProblems(t *testing.T) {
	_, _, problems := parse(t, `
admin: { token: "${file:../secret.txt} ${TOKEN}" }
services: { web: { endpoints: ["http://u:${TOKEN}@h:1"] } }
`)
	if len(problems) != 2 || strings.Contains(problems.Error(), "sesame") {
		t.Errorf("got %v, want two problems without the secret", problems)
	}
}
