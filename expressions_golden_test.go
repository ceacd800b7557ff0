package weir_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// mistakes returns what is wrong with a configuration, its form and then, if that is
// right, what shows only when it is put to work.
func mistakes(t *testing.T, name string, text []byte) (all []string) {
	t.Helper()
	c, _, err := config.Parse(name, text, config.Options{})
	if err == nil {
		_, err = weir.New(*c)
	}
	if err == nil {
		return nil
	}
	var list config.Problems
	if !errors.As(err, &list) {
		t.Fatalf("what is wrong has no place: %v", err)
	}
	for _, p := range list {
		all = append(all, p.Error())
	}
	return all
}

// TestExpressions_AreRefusedWithPlaceAndAdvice holds what is said of each of the routes
// in testdata/expressions/wrong.yaml, one at a time, and that nothing passes.
func TestExpressions_AreRefusedWithPlaceAndAdvice(t *testing.T) {
	const file = "testdata/expressions/wrong"
	text, err := os.ReadFile(file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, routes, _ := strings.Cut(string(text), "routes:\n")
	var got strings.Builder
	count := 0
	say := func(what string, list []string) {
		count++
		if len(list) == 0 {
			t.Errorf("this is taken:\n%s", what)
		}
		got.WriteString(strings.Join(list, "\n") + "\n\n")
	}
	say(head, mistakes(t, "wrong.yaml", []byte(head+"routes: [{ service: web }]\n")))
	plain := "admin: off\nservices: { web: { endpoints: [\"http://127.0.0.1:1\"] } }\nroutes:\n"
	for _, route := range strings.Split("\n"+routes, "\n  - match:")[1:] {
		route = "  - match:" + strings.TrimSuffix(route, "\n") + "\n"
		say(route, mistakes(t, "wrong.yaml", []byte(plain+route)))
	}
	if count < 60 {
		t.Errorf("there are %d cases, want at least 60", count)
	}
	if *update {
		if err := os.WriteFile(file+".txt", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file + ".txt")
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if got.String() != string(want) {
		t.Errorf("what is said is\n%s\nwant\n%s", got.String(), want)
	}
}
