package admin

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPut_TellsWhatIsWrongWithTheBody(t *testing.T) {
	many := func(n int, value string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"n%d":"%s"`, i, value)
		}
		return "{" + b.String()[1:] + "}"
	}
	const u = `"url":"http://a:1"`
	for _, tc := range []struct {
		body   string
		status int
		says   string
	}{
		{``, 400, "line 1, column 1: unexpected end"},
		{`{`, 400, "unexpected end"},
		{`nothing`, 400, "line 1, column 2: invalid character"},
		{`[]`, 400, "line 1, column 1: a description is a JSON object"},
		{`null`, 400, "is a JSON object"},
		{`{` + u + `} {}`, 400, "line 1, column 22: invalid character '{' after top-level value"},
		{"{\n  " + u + ",\n  \"wieght\": 3\n}", 400, `line 3, column 3: there is no member \"wieght\"; there are name, url, weight`},
		{`{"é":1,"URL":"http://a:1"}`, 400, `column 2: there is no member \"é\"`},
		{`{"zone":"é","URL":"http://a:1"}`, 400, `column 13: there is no member \"URL\"`},
		{`{` + u + `,` + u + `}`, 400, `column 21: member \"url\" is there twice`},
		{`{` + u + `,"headers":{"a":"1","a":"2"}}`, 400, `member \"a\" is there twice`},
		{`{` + u + `,"labels":` + many(65, "x") + `}`, 400, "more than 64 members"},
		{"{\"url\":\"http://a\xff\"}", 400, "not UTF-8"},
		{`{"url":"http://a:1","zone":"` + strings.Repeat("x", maxBody) + `"}`, 413, "body_too_large"},

		{`{}`, 422, "url: is missing"},
		{`{"url":null}`, 422, "url: is not a text"},
		{`{"url":""}`, 422, "url: is missing"},
		{`{"url":"a:1"}`, 422, "url: write http://host:port"},
		{`{"url":"ftp://a"}`, 422, "url: write http://host:port"},
		{`{"url":"http://"}`, 422, "url: write"},
		{`{"url":"http://u:pw@a"}`, 422, "url: carries no user and password"},
		{`{"url":"http://a#b"}`, 422, "url: a fragment"},
		{`{"url":"unix:run"}`, 422, "url: the path of a Unix socket"},
		{`{"url":"http://a\u0000"}`, 422, "url: has more than 2048 bytes, or control"},
		{`{"name":"b",` + u + `}`, 422, "name: is not the one in the path"},
		{`{"name":7,` + u + `}`, 422, "name: is not a text"},
		{`{` + u + `,"weight":0}`, 422, "weight: is not between 1 and 1000"},
		{`{` + u + `,"weight":1001}`, 422, "weight: is not between"},
		{`{` + u + `,"weight":1.5}`, 422, "weight: is not a whole number"},
		{`{` + u + `,"weight":"3"}`, 422, "weight: is not a whole number"},
		{`{` + u + `,"weight":null}`, 422, "weight: is not a whole number"},
		{`{` + u + `,"weight":99999999999999999999}`, 422, "weight: is not a whole number"},
		{`{` + u + `,"concurrency":-1}`, 422, "concurrency: is not between"},
		{`{` + u + `,"zone":"a\nb"}`, 422, "zone: "},
		{`{` + u + `,"labels":[]}`, 422, "labels: is no object of texts"},
		{`{` + u + `,"labels":{"a":1}}`, 422, `labels.\"a\": is not a text`},
		{`{` + u + `,"labels":{"":"a"}}`, 422, "labels: a name is empty"},
		{`{` + u + `,"labels":{"a":"\u0007"}}`, 422, "labels: a value has control"},
		{`{` + u + `,"labels":` + many(33, "x") + `}`, 422, "labels: are more than 32"},
		{`{` + u + `,"labels":` + many(20, strings.Repeat("x", 60)) + `}`, 422, "more than 1024 bytes"},
		{`{` + u + `,"headers":{"a b":"1"}}`, 422, `headers.\"a b\": is not a field name`},
		{`{` + u + `,"headers":{"A":"1","a":"2"}}`, 422, `headers.\"a\": is there twice`},
		{`{` + u + `,"headers":{"Host":"x"}}`, 422, `headers.\"Host\": cannot be set here`},
		{`{` + u + `,"headers":{"transfer-encoding":"chunked"}}`, 422, "cannot be set here"},
		{`{` + u + `,"headers":{"A":"x\r\nB: y"}}`, 422, "no line breaks"},
		{`{` + u + `,"headers":{"A":" x"}}`, 422, "no spaces around it"},
		{`{` + u + `,"headers":{"Authorization":"xxxxx"}}`, 422, "write the value itself"},
		{`{` + u + `,"headers":` + many(20, strings.Repeat("x", 500)) + `}`, 422, "more than 8192 bytes"},
	} {
		g := newRegistry()
		before := g.snapshot()
		what := "PUT " + tc.body[:min(100, len(tc.body))]
		tell(newAPI(g), "PUT", "/v1/services/web/endpoints/a", tc.body).wants(t, what, tc.status, tc.says)
		if !reflect.DeepEqual(before, g.services) {
			t.Errorf("%s has changed something", what)
		}
	}
}

func TestPut_NamesThatCannotBe(t *testing.T) {
	for _, name := range []string{"%00", "a%0Ab", "a%FF", "%20a", strings.Repeat("x", 2049)} {
		path := "/v1/services/web/endpoints/" + name
		tell(newAPI(newRegistry()), "PUT", path, `{"url":"http://a:1"}`).wants(t, "PUT "+path[:30], 422, "name: ")
	}
}

func TestPut_TakesEveryMember(t *testing.T) {
	d, refusal := parseDescription([]byte(`{"name":"n","url":"https://a","weight":1000,"concurrency":7,"zone":"z","labels":{"l":"ü"},
		"headers":{"X-A":"","X-Tab":"a\tb"},"source":["any",{"thing":null}],"draining":null}`))
	want := &Description{
		Name: "n", URL: "https://a", Weight: 1000, Concurrency: 7, Zone: "z",
		Labels: map[string]string{"l": "ü"}, Headers: map[string]string{"X-A": "", "X-Tab": "a\tb"},
	}
	if refusal != nil || !reflect.DeepEqual(d, want) || d.problem() != "" {
		t.Errorf("it reads %+v (%v), want %+v without problem %q", d, refusal, want, d.problem())
	}
}

// FuzzPut holds that any body is either refused with a reason, or makes a
// description that is within its bounds and is read again from what is shown.
func FuzzPut(f *testing.F) {
	for _, seed := range []string{
		`{"url":"http://a:1"}`, `{"url":"unix:/a","weight":3,"labels":{"a":"b"},"headers":{"X":"y"}}`,
		`{"url":"http://a","url":"http://b"}`, `{"url":`, `[]`, "{\"url\":\"\xff\"}", `{"zone":"\ud800"}`, ` { } x`, `{"weight":1e2,"url":"http://a"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := httptest.NewRequest("PUT", "/", strings.NewReader(string(text)))
		d, refusal := readDescription(httptest.NewRecorder(), r, "n")
		if refusal != nil {
			if refusal.Status < 400 || refusal.Status > 422 || refusal.Code == "" || refusal.Detail == "" || !utf8.ValidString(refusal.Detail) {
				t.Fatalf("%q is refused by %+v", text, refusal)
			}
			return
		}
		if !json.Valid(text) || d.problem() != "" || d.Name != "n" {
			t.Fatalf("%q is taken for %+v", text, d)
		}
		shown, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, refusal := parseDescription(shown)
		if refusal != nil {
			t.Fatalf("%s is shown, and refused: %v", shown, refusal)
		}
		if a, b := fmt.Sprint(*d), fmt.Sprint(*again); a != b {
			t.Fatalf("%s is read as %s, and was %s", shown, b, a)
		}
	})
}
