package config

import (
	"strings"
	"testing"
)

// Each line marks, below a step of its own, the place of the word "bad" in the
// text of its expression.
func TestConfig_AtInsideFindsThePlaceInTheFile(t *testing.T) {
	const file = `services: { web: { endpoints: [http://a:1] } }
routes:
  - service: web
    request:
      - { if: "a && bad", set: { A: "1" } }
      - { if: 'a == ''x'' && bad', set: { A: "1" } }
      - { if: "a == \"x\" && bad", set: { A: "1" } }
      - if: a == "ä" && bad
        set: { A: "1" }
      - set: { A: "1" }
        if: |
          a &&
            (b ||

            bad)
      - set:
          X-Long: |-

            bad
`
	cfg, _, err := Parse("weir.yaml", []byte(file), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(file, "\n")
	for i, s := range cfg.Routes[0].Request {
		path, text := Below(joinIndex("routes[0].request", i), "if"), s.If
		if text == "" {
			path, text = Below(Below(joinIndex("routes[0].request", i), "set"), "X-Long"), s.Set[0].Value
		}
		before, _, _ := strings.Cut(text, "bad")
		line := 1 + strings.Count(before, "\n")
		column := 1 + len([]rune(before[strings.LastIndex(before, "\n")+1:]))
		p := cfg.AtInside(path, line, column, "is bad")
		if p.Line < 1 || p.Path != path || !strings.HasPrefix(string([]rune(lines[p.Line-1])[p.Column-1:]), "bad") {
			t.Errorf("%q, line %d, column %d, is shown at\n%v", text, line, column, p)
		}
	}
}

func TestConfig_AtInsideShowsTheBeginningOfWhatIsNotAsWritten(t *testing.T) {
	const file = `services: { web: { endpoints: [http://a:1] } }
routes:
  - service: web
    request:
      - { if: "${TOKEN} && bad", set: { A: "1" } }
      - if: |
          "$${" ==
            bad
        set: { A: "1" }
      - if: >
          a
          && bad
        set: { A: "1" }
      - if: "a
          && bad"
        set: { A: "1" }
      - if: |2
            bad
        set: { A: "1" }
      - if: &shared a && bad
        set: { A: "1" }
      - if: *shared
        set: { A: "1" }
      - { if: "\x61 && bad", set: { A: "1" } }
`
	cfg, _, err := Parse("weir.yaml", []byte(file), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range cfg.Routes[0].Request {
		path := Below(joinIndex("routes[0].request", i), "if")
		want := cfg.At(path, "is bad")
		before, _, _ := strings.Cut(s.If, "bad")
		line := 1 + strings.Count(before, "\n")
		if got := cfg.AtInside(path, line, 1+len(before)-strings.LastIndex(before, "\n")-1, "is bad"); got != want {
			t.Errorf("%q is shown at\n%v\nwant\n%v", s.If, got, want)
		}
	}
}

func TestConfig_AtInsideNeedsNoFile(t *testing.T) {
	want := Problem{Path: "routes[0].match.when", Message: "is bad"}
	if got := (&Config{}).AtInside(want.Path, 2, 3, want.Message); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
