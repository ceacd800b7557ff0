package weir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// ask sends a request to the admin API, and returns the answer with its content.
func (r router) ask(t *testing.T, method, path, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+r.AdminAddress()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// must is ask for an answer of that status.
func (r router) must(t *testing.T, status int, method, path, body string, fields ...string) string {
	t.Helper()
	resp, text := r.ask(t, method, path, body, fields...)
	if resp.StatusCode != status {
		t.Fatalf("%s %s %s is answered %d %s, want %d", method, path, body, resp.StatusCode, text, status)
	}
	return text
}

func urlOf(url string) string { return fmt.Sprintf(`{"url": %q}`, url) }

const web = "/v1/services/web/endpoints"

func TestEdits_TakeEffectForTheNextRequest(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	r := startConfigured(t, one(a.URL))
	r.must(t, 201, "PUT", web+"/b", urlOf(b.URL))
	seen := map[string]bool{}
	for range 2 {
		_, text := get(t, r.url+"/")
		seen[text] = true
	}
	if !seen["a /"] || !seen["b /"] {
		t.Errorf("after an endpoint was added, two requests are answered by %v", seen)
	}
	r.must(t, 204, "DELETE", web+"/b", "")
	for range 3 {
		if _, text := get(t, r.url+"/"); text != "a /" {
			t.Fatalf("after it was removed it is %q that answers", text)
		}
	}
	r.must(t, 404, "DELETE", web+"/b", "")
}

func TestEdits_RemoveWhoeverAnnouncesIt(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	c := one(a.URL, b.URL)
	c.Services["web"].Endpoints[0].Name = "first"
	r := startConfigured(t, c)
	r.must(t, 204, "DELETE", web+"/first", "")
	r.mustApply(t, c) // which still lists it
	for range 4 {
		if _, text := get(t, r.url+"/"); text != "b /" {
			t.Fatalf("%q answers, which was removed", text)
		}
	}
	if text := r.must(t, 200, "GET", "/v1/services/web", ""); !strings.Contains(text, `"first"`) {
		t.Errorf("it is not shown that it was removed: %s", text)
	}
	r.must(t, 201, "PUT", web+"/first", urlOf(a.URL))
	r.must(t, 204, "DELETE", web+"/first", "")
	r.must(t, 404, "GET", web+"/first", "")
}

func TestEdits_MakeServicesAndVersionsThatNobodyHasNamed(t *testing.T) {
	a, web := app(t, "a"), app(t, "web")
	c := one(web.URL)
	c.Routes = []config.Route{
		{Service: "web"},
		{Service: "{service}@{version}", Match: config.Match{Path: "/{service}/{version}/*"}, StripPrefix: "/{service}/{version}"},
	}
	r := startConfigured(t, c)
	if status, _ := get(t, r.url+"/shop/v1/x"); status != 404 {
		t.Fatalf("a service that nobody knows is answered %d", status)
	}
	r.must(t, 201, "PUT", "/v1/services/shop/versions/v1/endpoints/one", urlOf(a.URL))
	if _, text := get(t, r.url+"/shop/v1/x%2Fy"); text != "a /x%2Fy" {
		t.Errorf("it is answered %q", text)
	}
	r.must(t, 422, "PUT", "/v1/services/a%20b/endpoints/one", urlOf(a.URL))
	r.must(t, 422, "PUT", "/v1/services/a/versions/%20/endpoints/one", urlOf(a.URL))
}

func TestEdits_RefuseOurOwnListeners(t *testing.T) {
	r := startConfigured(t, one(app(t, "a").URL))
	for _, url := range []string{r.url, "http://" + r.AdminAddress(), strings.Replace(r.url, "127.0.0.1", "localhost", 1)} {
		if text := r.must(t, 422, "PUT", web+"/loop", urlOf(url)); !strings.Contains(text, "own_listener") {
			t.Errorf("%s is refused with %s", url, text)
		}
	}
	for _, body := range []string{`{"url": "ftp://a"}`, `{"url": "http://a", "headers": {"Host": "b"}}`, `{"url": "http://a", "weight": 5000}`} {
		r.must(t, 422, "PUT", web+"/bad", body)
	}
}

func TestEdits_AreMadeOnlyIfNothingHasChanged(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	r := startConfigured(t, one(a.URL))
	resp, _ := r.ask(t, "PUT", web+"/x", urlOf(b.URL), "If-None-Match", "*")
	first := resp.Header.Get("ETag")
	if resp.StatusCode != 201 || first == "" {
		t.Fatalf("an endpoint that must not exist is made with %d and ETag %q", resp.StatusCode, first)
	}
	r.must(t, 412, "PUT", web+"/x", urlOf(b.URL), "If-None-Match", "*")
	resp, _ = r.ask(t, "PUT", web+"/x", fmt.Sprintf(`{"url": %q, "weight": 7}`, b.URL), "If-Match", first)
	if resp.StatusCode != 200 || resp.Header.Get("ETag") == first {
		t.Fatalf("a change of what was seen is answered %d with ETag %q", resp.StatusCode, resp.Header.Get("ETag"))
	}
	r.must(t, 412, "DELETE", web+"/x", "", "If-Match", first)
	r.must(t, 204, "DELETE", web+"/x", "", "If-Match", resp.Header.Get("ETag"))
}

func TestEdits_DrainAndUndrain(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	c := one(a.URL, b.URL)
	c.Services["web"].Endpoints[0].Name = "first"
	r := startConfigured(t, c)
	r.must(t, 200, "POST", web+"/first/drain", "")
	r.mustApply(t, c)
	for range 4 {
		if _, text := get(t, r.url+"/"); text != "b /" {
			t.Fatalf("%q answers, which is drained", text)
		}
	}
	r.must(t, 200, "PUT", web+"/first", urlOf(app(t, "new").URL))
	for range 4 {
		if _, text := get(t, r.url+"/"); text != "b /" {
			t.Fatalf("%q answers, which is drained wherever it is", text)
		}
	}
	r.must(t, 200, "DELETE", web+"/first/drain", "")
	seen := map[string]bool{}
	for range 2 {
		_, text := get(t, r.url+"/")
		seen[text] = true
	}
	if !seen["new /"] {
		t.Errorf("after draining was called off, %v answer", seen)
	}
}

func TestEdits_SurviveARestart(t *testing.T) {
	a, b, d := app(t, "a"), app(t, "b"), app(t, "d")
	c := one(a.URL, d.URL)
	c.Services["web"].Endpoints[0].Name, c.Services["web"].Endpoints[1].Name = "a", "d"
	c.State = filepath.Join(t.TempDir(), "state.json")
	before := startConfigured(t, c)
	before.must(t, 201, "PUT", web+"/b", fmt.Sprintf(`{"url": %q, "weight": 3, "zone": "z", "labels": {"k": "v"}, "headers": {"X-A": "b"}}`, b.URL))
	before.must(t, 204, "DELETE", web+"/a", "")
	before.must(t, 200, "POST", web+"/d/drain", "")
	before.must(t, 201, "PUT", "/v1/services/shop/versions/v1/endpoints/one", urlOf(b.URL))
	want := before.must(t, 200, "GET", web, "")
	after := startConfigured(t, c)
	if got := after.must(t, 200, "GET", web, ""); got != want {
		t.Errorf("after a restart the endpoints are %s\nwant %s", got, want)
	}
	after.must(t, 200, "GET", "/v1/services/shop/versions/v1/endpoints/one", "")
	for range 3 {
		if _, text := get(t, after.url+"/"); text != "b /" {
			t.Errorf("after a restart %q answers", text)
		}
	}
}

func TestEdits_ChangeNothingThatCannotBeWritten(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	c := one(a.URL)
	folder := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c.State = filepath.Join(folder, "state.json")
	r := startConfigured(t, c)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if text := r.must(t, 500, "PUT", web+"/b", urlOf(b.URL)); !strings.Contains(text, "state_not_written") {
		t.Errorf("it is answered %s", text)
	}
	r.must(t, 404, "GET", web+"/b", "")
	for range 3 {
		if _, text := get(t, r.url+"/"); text != "a /" {
			t.Errorf("%q answers", text)
		}
	}
}

func TestNew_RefusesAStateThatIsNone(t *testing.T) {
	c := one("http://127.0.0.1:1")
	c.State = filepath.Join(t.TempDir(), "state.json")
	for text, want := range map[string]string{
		`{"version": 1, "services": {`:                                                       "not a state file",
		`{"version": 2, "services": {}}`:                                                     "version is 2",
		`{"version": 1, "services": {"a b": {}}}`:                                            "a b",
		`{"version": 1, "services": {"web": {"endpoints": [{"name": "x", "url": "nope"}]}}}`: "nope",
		`{"version": 1, "services": {"web": {"endpoints": [{"url": "http://a"}]}}}`:          "no name",
		`{"version": 1, "services": {}, "more": 1}`:                                          "more",
		`{"version": 1, "services": {}} {}`:                                                  "follows",
	} {
		if err := os.WriteFile(c.State, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := weir.New(c)
		if err == nil {
			_ = p.Shutdown(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "state: ") {
			t.Errorf("with the state %s, New says %v", text, err)
		}
	}
}

func TestReload_TellsWhoeverAsksWhatIsWrong(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	file := filepath.Join(t.TempDir(), "weir.yaml")
	write := func(text string) {
		t.Helper()
		text = "listeners: [{ address: \"127.0.0.1:0\" }]\nadmin: { address: \"127.0.0.1:0\" }\n" + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("services: { web: { endpoints: [" + a.URL + "] } }")
	c, _, err := weir.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	r := startProvided(t, *c, weir.WithReload(func() (*weir.Config, []error, error) { return weir.Load(file) }))
	write("services: { web: { endpoints: [" + b.URL + "], balance: hash, hash_on: \"request.path\", sticky: { cookie: c } } }")
	text := r.must(t, 200, "POST", "/v1/reload", "")
	if !strings.Contains(text, "has no secret") {
		t.Errorf("it is not told what is unwise: %s", text)
	}
	if _, text := get(t, r.url+"/"); text != "b /" {
		t.Errorf("after the reload %q answers", text)
	}
	write("services: { web: { endpoints: [nonsense] } }")
	var problem struct {
		Error    string
		Problems []struct {
			File, Path  string
			Line        int
			Source_line string
		}
	}
	text = r.must(t, 422, "POST", "/v1/reload", "")
	if err := json.Unmarshal([]byte(text), &problem); err != nil {
		t.Fatal(err)
	}
	if problem.Error != "bad_configuration" || len(problem.Problems) != 1 || problem.Problems[0].Line != 3 || problem.Problems[0].Path != "services.web.endpoints[0].url" {
		t.Errorf("what is wrong is told as %s", text)
	}
	if _, text := get(t, r.url+"/"); text != "b /" {
		t.Errorf("after a reload that was refused %q answers", text)
	}
}

func TestConfig_IsShownByTheAPI(t *testing.T) {
	c := one("http://127.0.0.1:1")
	c.Services["web"].Endpoints[0].Headers = config.Fields{{Name: "Authorization", Value: "sesame"}}
	r := startConfigured(t, c)
	text := r.must(t, 200, "GET", "/v1/config", "")
	if strings.Contains(text, "sesame") || !strings.Contains(text, "http://127.0.0.1:1") {
		t.Errorf("the configuration is shown as %s", text)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"version": 1, "services": {"web": {"endpoints": [{"name": "x", "url": "http://a", "headers": [{"name": "a", "value": "b"}]}], "removed": ["y"], "draining": ["z"]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) { weir.CheckStateRoundTrip(t, bytes.Clone(text)) })
}
