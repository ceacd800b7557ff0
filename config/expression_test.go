package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestUsable_TellsExpressionsFromStatuses(t *testing.T) {
	for text, want := range map[string]bool{
		"2xx": false, "404": false, "6xx": false, "ok": false, "200 ": false, "true": false, "connect": false,
		"response.status < 500": true, `response.headers["x"] != ""`: true, "status == 200 ? true : false": true,
	} {
		if got := (Usable{text}).Expression() == text; got != want {
			t.Errorf("%q is an expression: %v, want %v", text, got, want)
		}
	}
	for _, list := range []Usable{nil, {}, {"a.b", "c.d"}} {
		if e := list.Expression(); e != "" {
			t.Errorf("%q is the expression of %q", e, list)
		}
	}
}

func TestIsSelector_TellsSelectorsFromOtherExpressions(t *testing.T) {
	for text, want := range map[string]bool{
		"client.address": true, "request.path": true, "request.host": true,
		`request.headers["x-user"]`: true, `request.cookies['a']`: true, `request.query["a b"]`: true,
		`request.headers["a b"]`: true, // and a wrong one
		"":                       false, "request.method": false, `request.path["x"]`: false, `request.headers[x]`: false,
		`request.headers["a"] + request.headers["b"]`: false,
		`request.headers["a"] + request.headers['b']`: false,
		`request.headers["a"] `:                       false,
	} {
		if got := IsSelector(text); got != want {
			t.Errorf("%q is a selector: %v, want %v", text, got, want)
		}
		if _, err := ParseSelector(text); err == nil && !want {
			t.Errorf("%q is none, and can be read as one", text)
		}
	}
}

func TestExpressions_KeepTheirOrder(t *testing.T) {
	const file = `services: { web: { endpoints: [http://a:1] } }
routes: [{ service: web, request: [{ let: { z: "1", a: z, m: a }, set: { X-Z: z, A: "1" } }] }]
`
	cfg, _, err := Parse("weir.yaml", []byte(file), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Routes[0].Request[0]
	if got := fmt.Sprint(s.Let, s.Set); got != "[{z 1} {a z} {m a}] [{X-Z z} {A 1}]" {
		t.Errorf("got %s", got)
	}
}

func TestRedacted_ShowsStepsWithoutWhatSoundsSecret(t *testing.T) {
	c := &Config{Routes: []Route{{Service: "web", Request: []Step{{
		If: "a", Then: []Step{{Set: Expressions{{"Authorization", `"Bearer sesame"`}, {"X-A", `"b"`}}}},
	}}}}, Services: map[string]Service{"web": {Usable: Usable{"response.status < 500"}}}}
	out, err := json.Marshal(c.Redacted())
	got := string(out)
	if err != nil || strings.Contains(got, "sesame") || !strings.Contains(got, `"X-A":"\"b\""`) || !strings.Contains(got, `"usable":["response.status \u003c 500"]`) {
		t.Errorf("got %s", got)
	}
}

func TestRedacted_KeepsTheOrderOfNames(t *testing.T) {
	c := &Config{Routes: []Route{{Service: "web", Request: []Step{{Let: Expressions{{"z", `"${"`}, {"a", "z"}}}}}}}
	out, err := json.Marshal(c.Redacted())
	if want := `"let":{"z":"\"$${\"","a":"z"}`; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("got %s, want %s in it (%v)", out, want, err)
	}
}

func TestWithDefaults_TakesCompressionThatIsOffForNone(t *testing.T) {
	c := &Config{Routes: []Route{{Service: "web", Compress: &Compress{Off: true}}, {Service: "web", Compress: &Compress{}}}}
	d := c.WithDefaults()
	if d.Routes[0].Compress != nil || c.Routes[0].Compress == nil {
		t.Errorf("off is %+v, and the original %+v", d.Routes[0].Compress, c.Routes[0].Compress)
	}
	if z := d.Routes[1].Compress; z == nil || len(z.Algorithms) != 2 || z.MinSize != 1<<10 {
		t.Errorf("the defaults are %+v", z)
	}
}

// One problem is enough, where nesting is one deep too many.
func TestValidate_RefusesStepsThatAreNestedTooDeep(t *testing.T) {
	step := Step{Set: Expressions{{"A", "1"}}}
	for range 20 {
		step = Step{If: "a", Then: []Step{step}}
	}
	c := &Config{Routes: []Route{{Service: "web", Response: []Step{step}}}, Services: map[string]Service{"web": {}}}
	if p := c.Validate(); len(p) != 1 || !strings.Contains(p[0].Message, "nested more than 8 deep") {
		t.Errorf("got %v", p)
	}
}
