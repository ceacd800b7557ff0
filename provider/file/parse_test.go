package file

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirproxy/weir/endpoint"
)

func read(t *testing.T, pages ...page) []endpoint.Endpoint {
	t.Helper()
	list, err := parse(pages)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// short writes endpoints as name=address, in their order.
func short(list []endpoint.Endpoint) string {
	var words []string
	for _, e := range list {
		words = append(words, strings.TrimPrefix(e.Name+"="+e.Address.String(), "="))
	}
	return strings.Join(words, " ")
}

func TestParse_ReadsURLsAndObjects(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"a.yaml", "- http://a:1\n- https://b/base?k=v\n", "http://a:1 https://b/base?k=v"},
		{"a.yml", "# who serves\n---\n- 'http://a:1' # the old one\n- url: http://b:2\n  name: b\n", "http://a:1 b=http://b:2"},
		{"a.yaml", "[http://a:1, {url: http://b:2, name: b}]", "http://a:1 b=http://b:2"},
		{"a.yaml", "- {url: \"http://[::1]:1\", name: 7}", "7=http://[::1]:1"},
		{"a.yaml", "- unix:/run/app.sock\n", "unix:/run/app.sock"},
		{"a.yaml", "- {name: a, version: v1, url: http://a}\n- {name: a, version: v2, url: http://b}", "a=http://a a=http://b"},
		{"a.yaml", "- http://a\n- http://a\n", "http://a http://a"},
		{"a.json", "[\n\t\"http://a:1\",\n\t{\"url\": \"http:\\/\\/b:2\", \"name\": \"b\"}\n]\n", "http://a:1 b=http://b:2"},
		{"a.json", "\ufeff[\"http://a:1\"]", "http://a:1"},
		{"a.yaml", "[]", ""},
		{"a.json", " [ ]\n", ""},
	} {
		if got := short(read(t, page{tc.name, tc.text})); got != tc.want {
			t.Errorf("%s %q is read as %q, want %q", tc.name, tc.text, got, tc.want)
		}
	}
}

func TestParse_ReadsAttributes(t *testing.T) {
	for _, p := range []page{
		{"a.yaml", "- name: a\n  url: http://a\n  weight: 1000\n  zone: eu-1\n  version: 1.10\n  concurrency: 9\n  labels:\n    rack: 7\n    on: true\n"},
		{"a.json", `[{"name":"a","url":"http://a","weight":1000,"zone":"eu-1","version":"1.10","concurrency":9,"labels":{"rack":"7","on":"true"}}]`},
	} {
		list := read(t, p)
		if len(list) != 1 {
			t.Fatalf("%s is read as %d endpoints", p.name, len(list))
		}
		got := list[0]
		if got.Name != "a" || got.Weight != 1000 || got.Zone != "eu-1" || got.Version != "1.10" || got.Concurrency != 9 ||
			!maps.Equal(got.Labels, map[string]string{"rack": "7", "on": "true"}) {
			t.Errorf("%s is read as %+v", p.name, got)
		}
	}
}

func TestParse_KeepsTheOrderOfFilesAndEndpoints(t *testing.T) {
	got := short(read(t, page{"a.yaml", "- http://z\n- http://y"}, page{"b.json", `["http://x"]`}, page{"c.yml", "[]"}, page{"d.yml", "- http://a"}))
	if want := "http://z http://y http://x http://a"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

func TestParse_SaysWhatIsWrongAndWhere(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"a.yaml", "", "a.yaml:1:1: it is empty"},
		{"a.yaml", "# nothing\n\n", "a.yaml:1:1: it is empty"},
		{"a.json", " \n", "a.json:1:1: it is empty"},
		{"a.yaml", "url: http://a", "a.yaml:1:1: it is an object; write a list"},
		{"a.json", `{"url": "http://a"}`, "a.json:1:1: it is an object; write a list"},
		{"a.yaml", "http://a", "a.yaml:1:1: it is text"},
		{"a.yaml", "null", "a.yaml:1:1: it is nothing"},
		{"a.yaml", "- http://a\n- 7", "a.yaml:2:3: it is a number"},
		{"a.yaml", "- http://a\n-\n- http://b", "a.yaml:2:2: it is nothing"},
		{"a.yaml", "- [http://a]", "a.yaml:1:3: it is a list"},
		{"a.yaml", "- http://a\n- http://b:0", "a.yaml:2:3: port 0"},
		{"a.yaml", "- 10.0.0.1:80", "a.yaml:1:3: \"10.0.0.1:80\" is not the URL"},
		{"a.yaml", "- http://user:secret@a", "a.yaml:1:3: its URL names a user"},
		{"a.yaml", "- unix:app.sock", "a.yaml:1:3: "},
		{"a.yaml", "- name: a", "a.yaml:1:3: it has no url"},
		{"a.yaml", "- url: http://a\n  wieght: 2", "a.yaml:2:3: unknown key \"wieght\"; legal here: name, url"},
		{"a.yaml", "- url: http://a\n  url: http://b", "a.yaml:2:3: invalid YAML: "},
		{"a.json", "[{\"url\": \"http://a\",\n \"url\": \"http://b\"}]", "a.json:2:2: invalid YAML: "},
		{"a.yaml", "- url: http://a\n  weight: \"2\"", "a.yaml:2:11: weight is text, want a whole number"},
		{"a.yaml", "- url: http://a\n  weight: 1.5", "a.yaml:2:11: weight is a number, want a whole number"},
		{"a.yaml", "- url: http://a\n  weight: 0x10", "a.yaml:2:11: weight 0x10 is not a whole number in decimal"},
		{"a.yaml", "- url: http://a\n  weight: 0", "a.yaml:2:11: weight 0 is not from 1 to 1000"},
		{"a.yaml", "- url: http://a\n  weight:", "a.yaml:2:11: weight is nothing"},
		{"a.yaml", "- url: http://a\n  concurrency: -1", "a.yaml:2:16: concurrency -1"},
		{"a.yaml", "- url: http://a\n  zone: eu 1", "a.yaml:2:9: zone \"eu 1\" has other characters"},
		{"a.yaml", "- url: http://a\n  version: [v1]", "a.yaml:2:12: version is a list, want text"},
		{"a.yaml", "- url: http://a\n  version: v/1", "a.yaml:2:12: version \"v/1\" has other characters"},
		{"a.yaml", "- url: http://a\n  name: a b", "a.yaml:2:9: name has spaces"},
		{"a.yaml", "- url: http://a\n  name: ''", "a.yaml:2:9: name is empty"},
		{"a.yaml", "- url: http://a\n  labels: [a]", "a.yaml:2:11: labels are a list"},
		{"a.yaml", "- url: http://a\n  labels: {a: [b]}", "a.yaml:2:11: label \"a\" is a list, want text"},
		{"a.yaml", "- url: http://a\n  labels: {a: \"\\0\"}", "a.yaml:2:11: a label"},
		{"a.yaml", "- {url: http://a, name: a}\n- {url: http://b, name: a}", "a.yaml:2:25: another endpoint is named \"a\": a.yaml:1:25"},
		{"a.yaml", "- http://a\n---\n- http://b", "a.yaml:2:1: a second document"},
		{"a.yaml", "- &a http://a\n- *a", "a.yaml:1:3: tags, directives, anchors"},
		{"a.yaml", "- !!str http://a", "a.yaml:1:3: tags, directives, anchors"},
		{"a.yaml", "- <<: {url: http://a}", "a.yaml:1:3: tags, directives, anchors"},
		{"a.yaml", "- http://a\n- {", "a.yaml:2:3: invalid YAML: "},
		{"a.yaml", "- url: http://a\n weight: 2", "a.yaml:2:2: invalid YAML: "},
		{"a.yaml", "- http://ä\n- \xff", "a.yaml:2:3: it has bytes that are not UTF-8"},
		{"a.json", "[\n  \"http://a\",\n]", "a.json:3:1: invalid JSON: "},
		{"a.json", "[\n  \"http://a\"", "a.json:2:12: invalid JSON: unexpected end"},
		{"a.json", "- http://a", "a.json:1:2: invalid JSON: "},
		{"a.json", "[\"http://a\"] x", "a.json:1:14: invalid JSON: "},
		{"a.yaml", strings.Repeat("[", maxDepth+1), fmt.Sprintf("a.yaml:1:%d: nested too deeply", maxDepth+1)},
		{"a.yaml", "-" + strings.Repeat(" ", maxColumn) + "- a", fmt.Sprintf("a.yaml:1:%d: nested too deeply", maxColumn+2)},
		{"a.yaml", strings.Repeat("a: b\n", maxKeys+1), fmt.Sprintf("a.yaml:%d:2: an endpoint has fewer keys", maxKeys+1)},
		{"a.yaml", strings.Repeat("[", maxMarks+1), "a.yaml:1:1: it says more than"},
		{"a.yaml", "[" + strings.Repeat("http://a, ", MaxEndpoints+1) + "]", "there are more than 100000 endpoints"},
	} {
		list, err := parse([]page{{tc.name, tc.text}})
		if err == nil {
			t.Errorf("%s %.60q is read as %.100q, want an error with %q", tc.name, tc.text, short(list), tc.want)
		} else if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %.60q: %v, want %q", tc.name, tc.text, err, tc.want)
		}
	}
}

func TestParse_NamesEndpointsOnceInAllFiles(t *testing.T) {
	_, err := parse([]page{{"a.yaml", "- {name: x, url: http://a}"}, {"b.json", "[\n{\"name\":\"x\",\"url\":\"http://b\"}]"}})
	if err == nil || err.Error() != `b.json:2:9: another endpoint is named "x": a.yaml:1:10` {
		t.Errorf("the error is %v", err)
	}
}

// FuzzParse has no bytes lead to an endpoint that could not be shown or reached, to an
// error without a place, or to a panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"- http://a:1\n- url: https://b/c?d\n  name: b\n  weight: 2\n  zone: z\n  labels: {k: v}\n  version: v1\n  concurrency: 3\n",
		`["http://a", {"url": "http://b", "labels": {"k": "v"}}]`, "[]", "", "- |\n  http://a\n", "- unix:/a", "- ? a", "{", "- {url: 'http://a', name: \"\\x07\"}",
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, isJSON bool) {
		name := "f.yaml"
		if isJSON {
			name = "f.json"
		}
		list, err := parse([]page{{name, string(text)}})
		if err != nil {
			if said := err.Error(); !strings.HasPrefix(said, name+":") || len(said) > 1500 || !utf8.ValidString(said) {
				t.Errorf("%q is too long an error, or has no place", said)
			}
			return
		}
		for _, e := range list {
			if e.Address.Network != "unix" && (e.Address.Host == "" || e.Address.Port == "") {
				t.Errorf("%q is read as address %+v", text, e.Address)
			}
			if strings.ContainsAny(e.Name, " \n\x00") || e.Weight < 0 || e.Weight > 1000 || e.Concurrency < 0 || strings.Contains(e.Version, "/") {
				t.Errorf("%q is read as %+v", text, e)
			}
		}
	})
}
