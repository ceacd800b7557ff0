package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// whole has everything that an admin listener can show.
func whole() Options {
	options := newOptions()
	n := uint64(3)
	options.Services = append(options.Services.(list), Service{
		Name: "shop@v2", Version: "v2", Split: map[string]int{"v1": 9, "v2": 1}, Removed: []string{"x"},
		Sources: []Source{{Kind: "etcd", State: "failing", Error: "refused", Since: begin, Endpoints: 2}},
		Endpoints: []Endpoint{{
			Name: "w", URL: "worker:w", Weight: 1, Source: "worker", Version: "v2", Zone: "eu", Labels: map[string]string{"a": "b"},
			State: "draining", Requests: &n, Failures: 1, Rests: 2, LastError: "x",
			Worker: &Worker{"w", "v2", "eu", map[string]string{"a": "b"}, "tokens[0]", "10.0.0.9:1", "ptth"},
		}},
	})
	options.Verbose, options.Version = true, "1.2.3"
	options.Events, options.Endpoints = noEvents{}, newRegistry()
	options.Config = func() any { return map[string]any{} }
	options.Reload = func(context.Context) ([]string, error) { return []string{"w"}, nil }
	return options
}

type noEvents struct{}

func (noEvents) Subscribe(uint64) (uint64, NextEvent) {
	return 0, func(ctx context.Context) (Event, uint64, error) { return Event{}, 0, context.Canceled }
}

// document is the OpenAPI document, as far as the tests look at it.
type document struct {
	Paths map[string]map[string]json.RawMessage `json:"paths"`
}

type operation struct {
	Responses map[string]json.RawMessage `json:"responses"`
}

func readDocument(t *testing.T) (d document) {
	t.Helper()
	got := tell(New(whole()), "GET", "/v1/openapi.json", "").wants(t, "GET /v1/openapi.json", 200, `"openapi": "3.1.0"`)
	if err := json.Unmarshal([]byte(got.body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

var captured = regexp.MustCompile(`\{[^}]*\}`)

func TestOpenAPI_HasEveryRouteAndNoOther(t *testing.T) {
	var described, served []string
	for path, item := range readDocument(t).Paths {
		for method := range item {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+captured.ReplaceAllString(path, "{}"))
			}
		}
	}
	for _, route := range append(guardedRoutes(whole()), healthRoutes(nil)...) {
		for method := range route.methods {
			served = append(served, method+" "+route.path)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described are\n%s\nserved are\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

func TestOpenAPI_NamesEveryParameterOfAPath(t *testing.T) {
	var components struct {
		Components struct {
			Parameters map[string]struct{ Name, In string } `json:"parameters"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPI, &components); err != nil {
		t.Fatal(err)
	}
	for path, item := range readDocument(t).Paths {
		var references []struct {
			Ref string `json:"$ref"`
		}
		if item["parameters"] != nil {
			if err := json.Unmarshal(item["parameters"], &references); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, r := range references {
			p := components.Components.Parameters[filepath.Base(r.Ref)]
			if p.In != "path" {
				t.Errorf("%s: parameter %s is in %q", path, r.Ref, p.In)
			}
			got = append(got, "{"+p.Name+"}")
		}
		if want := captured.FindAllString(path, -1); !slices.Equal(got, want) {
			t.Errorf("%s has parameters %v", path, got)
		}
	}
}

// A validator holds JSON against what the document says.
type validator struct {
	compiler *jsonschema.Compiler
	paths    document
}

func newValidator(t *testing.T) validator {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020) // that of OpenAPI 3.1
	c.AssertFormat()
	if err := c.AddResource(documentURL, value); err != nil {
		t.Fatal(err)
	}
	return validator{c, readDocument(t)}
}

const documentURL = "http://weir/openapi.json"

// accepts tells why an answer is not as described.
func (v validator) accepts(method, path string, got asked) error {
	var o operation
	if err := json.Unmarshal(v.paths.Paths[path][strings.ToLower(method)], &o); err != nil {
		return err
	}
	response, status := o.Responses[fmt.Sprint(got.status)], fmt.Sprint(got.status)
	if response == nil {
		return errors.New("status " + status + " is not described")
	}
	at := "#/paths/" + escaped(path) + "/" + strings.ToLower(method) + "/responses/" + status
	var shared struct {
		Ref string `json:"$ref"`
	}
	if err := json.Unmarshal(response, &shared); err == nil && shared.Ref != "" {
		at = shared.Ref
	}
	media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	return v.valid(at+"/content/"+escaped(media)+"/schema", got.body)
}

// valid holds a text against the schema at a place of the document.
func (v validator) valid(at, text string) error {
	schema, err := v.compiler.Compile(documentURL + at)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// escaped is a path as a step of a JSON pointer, in a URL.
func escaped(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(step)
}

func TestOpenAPI_DescribesWhatIsAnswered(t *testing.T) {
	const one, ofVersion = "/v1/services/{service}/endpoints", "/v1/services/{service}/versions/{version}/endpoints"
	const body = `{"url":"http://c:1","headers":{"X-Token":"t"},"labels":{"a":"b"},"zone":"z","concurrency":4}`
	broken := whole()
	broken.NotReady = func() []string { return []string{"starting"} }
	broken.Reload = func(context.Context) ([]string, error) {
		return nil, &ReloadError{[]Problem{{"weir.yaml", 1, 2, "a.b", "is wrong", "a: b"}, {Message: "m"}}, errors.New("wrong")}
	}
	failing := newRegistry()
	failing.refuse = errors.New("disk")
	broken.Endpoints = failing
	barred := whole()
	barred.Token = "t"
	c := newValidator(t)
	for _, tc := range []struct {
		h                          http.Handler
		method, path, target, body string
		field                      string
		status                     int
	}{
		{New(whole()), "GET", "/v1/status", "", "", "", 200},
		{New(broken), "GET", "/v1/status", "", "", "", 200},
		{New(broken), "GET", "/readyz", "", "", "", 503},
		{New(whole()), "GET", "/v1/services", "", "", "", 200},
		{New(Options{Loopback: true}), "GET", "/v1/services", "", "", "", 200},
		{New(barred), "GET", "/v1/services", "", "", "", 401},
		{New(whole()), "GET", "/v1/services", "", "", "Origin: null", 403},
		{New(whole()), "GET", "/v1/services/{service}", "/v1/services/shop@v2", "", "", 200},
		{New(whole()), "GET", "/v1/services/{service}", "/v1/services/none", "", "", 404},
		{New(whole()), "GET", "/v1/config", "", "", "", 200},
		{New(whole()), "GET", "/v1/openapi.json", "", "", "", 200},
		{New(whole()), "POST", "/v1/reload", "", "", "", 200},
		{New(broken), "POST", "/v1/reload", "", "", "", 422},
		{New(Options{Loopback: true}), "POST", "/v1/reload", "", "", "", 409},
		{New(whole()), "POST", "/v1/reload", "", "", "Content-Type: text/plain", 415},
		{New(whole()), "GET", one, "/v1/services/web/endpoints", "", "", 200},
		{New(whole()), "GET", one, "/v1/services/none/endpoints", "", "", 404},
		{New(whole()), "GET", one, "/v1/services/web/endpoints", "", "If-Match: x", 400},
		{New(whole()), "GET", ofVersion, "/v1/services/shop/versions/v1/endpoints", "", "", 200},
		{New(whole()), "GET", one + "/{endpoint}", "/v1/services/web/endpoints/a", "", "", 200},
		{New(whole()), "GET", ofVersion + "/{endpoint}", "/v1/services/shop/versions/v1/endpoints/s", "", "", 200},
		{New(whole()), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", body, "", 200},
		{New(whole()), "PUT", ofVersion + "/{endpoint}", "/v1/services/shop/versions/v9/endpoints/a", body, "", 201},
		{New(whole()), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", "{", "", 400},
		{New(whole()), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", "{}", "", 422},
		{New(whole()), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", body, `If-Match: "x"`, 412},
		{New(whole()), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", strings.Repeat(" ", maxBody+1), "", 413},
		{New(broken), "PUT", one + "/{endpoint}", "/v1/services/web/endpoints/a", body, "", 500},
		{New(whole()), "DELETE", one + "/{endpoint}", "/v1/services/web/endpoints/z", "", "", 404},
		{New(whole()), "POST", one + "/{endpoint}/drain", "/v1/services/web/endpoints/a/drain", "", "", 200},
		{New(whole()), "DELETE", ofVersion + "/{endpoint}/drain", "/v1/services/shop/versions/v1/endpoints/s/drain", "", "", 200},
	} {
		target := tc.target
		if target == "" {
			target = tc.path
		}
		fields := []string{}
		if tc.field != "" {
			fields = append(fields, tc.field)
		}
		got := tell(tc.h, tc.method, target, tc.body, fields...).wants(t, tc.method+" "+target, tc.status, "")
		if err := c.accepts(tc.method, tc.path, got); err != nil {
			t.Errorf("%s %s answers %d %s, which is not as described: %v", tc.method, target, got.status, got.body, err)
		}
	}
}

func TestOpenAPI_DescribesWhatIsSent(t *testing.T) {
	v := newValidator(t)
	for body, fine := range map[string]bool{
		`{"url":"http://a"}`: true,
		`{"name":"n","url":"http://a","weight":1000,"concurrency":0,"zone":"","labels":{},"headers":{"a":"b"},"source":"api","draining":true}`: true,
		`{}`:                             false,
		`{"url":"http://a","weight":0}`:  false,
		`{"url":"http://a","x":0}`:       false,
		`{"url":"http://a","labels":[]}`: false,
	} {
		if err := v.valid("#/components/schemas/EndpointToPut", body); (err == nil) != fine {
			t.Errorf("%s is described as fine: %t (%v)", body, err == nil, err)
		}
		d, refusal := parseDescription([]byte(body))
		if taken := refusal == nil && d.problem() == ""; taken != fine {
			t.Errorf("%s is taken: %t", body, taken)
		}
	}
}

func TestOpenAPI_HasTheMembersOfEveryObject(t *testing.T) {
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string]reflect.Type{
		"Service": reflect.TypeFor[Service](), "EndpointState": reflect.TypeFor[Endpoint](), "Source": reflect.TypeFor[Source](),
		"Worker": reflect.TypeFor[Worker](), "Event": reflect.TypeFor[Event](), "Endpoint": reflect.TypeFor[Description](),
		"EndpointToPut": reflect.TypeFor[Description](), "Problem": reflect.TypeFor[problem](), "ConfigProblem": reflect.TypeFor[Problem](),
	} {
		properties := d.Components.Schemas[name].Properties
		for field := range object.Fields() {
			member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if properties[member] == nil {
				t.Errorf("schema %s lacks %s", name, member)
			}
			delete(properties, member)
		}
		if len(properties) > 0 {
			t.Errorf("schema %s has more than there is: %v", name, properties)
		}
	}
}

// fromBehind are the codes of refusals that the proxy behind the API makes.
var fromBehind = []string{"bad_service_name", "own_listener", "state_not_written", "stopping", "too_many_endpoints", "too_many_services", "worker"}

// TestErrors_AreInTheReferenceAndInTheDocument holds the closed list of codes to
// what the source has.
func TestErrors_AreInTheReferenceAndInTheDocument(t *testing.T) {
	var d struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct {
						Error struct {
							Enum []string `json:"enum"`
						} `json:"error"`
					} `json:"properties"`
				}
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	described := d.Components.Schemas.Problem.Properties.Error.Enum
	reference, err := os.ReadFile("../../docs/reference/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| \\d{3} \\|").FindAllSubmatch(reference, -1) {
		listed = append(listed, string(row[1]))
	}
	made := append(codesInSource(t), fromBehind...)
	for _, codes := range [][]string{described, listed, made} {
		slices.Sort(codes)
	}
	if made = slices.Compact(made); !slices.Equal(described, made) || !slices.Equal(listed, made) {
		t.Errorf("errors that are made:  %v\nin the document:       %v\nin the reference page: %v", made, described, listed)
	}
}

// codesInSource finds them by the way they are written.
func codesInSource(t *testing.T) (codes []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:Error: |http\.Status\w+, )"([a-z_]+)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range code.FindAllSubmatch(text, -1) {
			codes = append(codes, string(match[1]))
		}
	}
	return codes
}
