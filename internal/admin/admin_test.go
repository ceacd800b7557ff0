package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// list is Services made of a list.
type list []Service

func (l list) Services() []Service { return l }

// begin is when all began, not in UTC.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))

func newOptions() Options {
	return Options{
		Loopback: true,
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "weir_up 1\n") }),
		Services: list{
			{Name: "web", Strategy: "failover", Balance: "round_robin", Concurrency: 20, InFlight: 3, QueueWaiting: 2, Endpoints: []Endpoint{
				{
					Name: "a", URL: "http://10.0.0.1:80", Weight: 1, Up: true, State: "up", InFlight: 3, Concurrency: 9, Idle: 2,
					Since: begin, LastError: "dial 10.0.0.1: refused",
				},
				{
					Name: "https://u:secret@10.0.0.2/", URL: "https://u:secret@10.0.0.2/", Weight: 2,
					State: "resting", Step: 2, Until: begin.Add(time.Second),
				},
			}},
			{Name: "shop/v@1"},
		},
	}
}

// ask sends a request with fields "Name: value" to h. Host is localhost unless
// one of them says otherwise.
func ask(h http.Handler, method, target string, fields ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "localhost:9900"
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// problemOf returns the error member of a problem document, and fails the test
// if the response is not one as it should be.
func problemOf(t *testing.T, response *http.Response) string {
	t.Helper()
	if media := response.Header.Get("Content-Type"); media != "application/problem+json" {
		t.Fatalf("status %d with Content-Type %q, want a problem", response.StatusCode, media)
	}
	var p problem
	if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "about:blank" || p.Status != response.StatusCode || p.Title != http.StatusText(p.Status) {
		t.Errorf("problem %+v does not fit status %d", p, response.StatusCode)
	}
	return p.Error
}

func TestNew_Routes(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
		problem, allow string
	}{
		{"GET", "/", 200, "", ""},
		{"HEAD", "/", 200, "", ""},
		{"GET", "/metrics", 200, "", ""},
		{"GET", "/healthz", 200, "", ""},
		{"GET", "/readyz", 200, "", ""},
		{"GET", "/v1/services", 200, "", ""},
		{"GET", "/v1/services?x=y", 200, "", ""},
		{"GET", "/v1/services/web", 200, "", ""},
		{"GET", "/v1/services/shop%2Fv@1", 200, "", ""},
		{"GET", "/v1/services/shop/v@1", 404, "not_found", ""},
		{"GET", "/v1/services/api", 404, "unknown_service", ""},
		{"GET", "/v1/services/", 404, "not_found", ""},
		{"GET", "//metrics", 404, "not_found", ""},
		{"GET", "/metrics/", 404, "not_found", ""},
		{"GET", "/../metrics", 404, "not_found", ""},
		{"GET", "/favicon.ico", 404, "not_found", ""},
		{"POST", "/", 405, "method_not_allowed", "GET, HEAD"},
		{"POST", "/healthz", 405, "method_not_allowed", "GET, HEAD"},
		{"DELETE", "/v1/services/web", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", "/metrics", 405, "method_not_allowed", "GET, HEAD"},
	} {
		response := ask(New(newOptions()), c.method, c.target)
		if response.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.target, response.StatusCode, c.status)
			continue
		}
		if c.problem != "" {
			if got := problemOf(t, response); got != c.problem {
				t.Errorf("%s %s: problem %s, want %s", c.method, c.target, got, c.problem)
			}
		}
		if allow := response.Header.Get("Allow"); allow != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.target, allow, c.allow)
		}
	}
}

func TestNew_WithoutMetricsOrServices(t *testing.T) {
	h := New(Options{Loopback: true})
	if response := ask(h, "GET", "/metrics"); response.StatusCode != 404 {
		t.Errorf("/metrics: status %d, want 404", response.StatusCode)
	}
	body, _ := io.ReadAll(ask(h, "GET", "/v1/services").Body)
	if got := strings.Join(strings.Fields(string(body)), ""); got != `{"services":[]}` {
		t.Errorf("/v1/services: %s", got)
	}
	if response := ask(MetricsOnly(Options{}), "GET", "/metrics"); response.StatusCode != 404 {
		t.Errorf("MetricsOnly without metrics: status %d, want 404", response.StatusCode)
	}
}

func TestMetricsOnly_ShowsNothingElseAndAsksForNothing(t *testing.T) {
	options := newOptions()
	options.Token, options.Loopback = "t", false
	h := MetricsOnly(options)
	for target, status := range map[string]int{
		"/metrics": 200, "/healthz": 200, "/readyz": 200, "/": 404, "/v1/services": 404, "/v1/services/web": 404,
	} {
		if response := ask(h, "GET", target, "Host: weir.example.com:9901"); response.StatusCode != status {
			t.Errorf("%s: status %d, want %d", target, response.StatusCode, status)
		}
	}
}

func TestReadyz_TellsWhyNot(t *testing.T) {
	options := newOptions()
	options.NotReady = func() []string { return []string{"starting", "service web has no endpoint"} }
	for name, h := range map[string]http.Handler{"New": New(options), "MetricsOnly": MetricsOnly(options)} {
		response := ask(h, "GET", "/readyz")
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 503 || !strings.Contains(string(body), `"starting; service web has no endpoint"`) {
			t.Errorf("%s: status %d, %s", name, response.StatusCode, body)
		}
		if response := ask(h, "GET", "/healthz"); response.StatusCode != 200 {
			t.Errorf("%s: a process that is not ready lives, but /healthz answers %d", name, response.StatusCode)
		}
	}
	options.NotReady = func() []string { return nil }
	if response := ask(New(options), "GET", "/readyz"); response.StatusCode != 200 {
		t.Errorf("ready: status %d, want 200", response.StatusCode)
	}
}

func TestServices_JSON(t *testing.T) {
	body, _ := io.ReadAll(ask(New(newOptions()), "GET", "/v1/services").Body)
	want := `{"services":[{"name":"web","strategy":"failover","balance":"round_robin","concurrency":20,"in_flight":3,"queue_waiting":2,"endpoints":[` +
		`{"name":"a","url":"http://10.0.0.1:80","weight":1,"up":true,"since":"2026-01-02T02:04:05Z","state":"up","in_flight":3,"concurrency":9,"idle_connections":2,"failures":0,"rests":0},` +
		`{"name":"https://u:xxxxx@10.0.0.2/","url":"https://u:xxxxx@10.0.0.2/","weight":2,"up":false,` +
		`"state":"resting","step":2,"until":"2026-01-02T02:04:06Z","in_flight":0,"idle_connections":0,"failures":0,"rests":0}]},` +
		`{"name":"shop/v@1","endpoints":[]}]}`
	if got := strings.Join(strings.Fields(string(body)), ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReference_NamesEveryMember(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range []reflect.Type{reflect.TypeFor[Service](), reflect.TypeFor[Endpoint](), reflect.TypeFor[Source](), reflect.TypeFor[Event](), reflect.TypeFor[Description](), reflect.TypeFor[Problem]()} {
		for field := range object.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !regexp.MustCompile("(?m)^\\| .*`" + name + "`.* \\|").Match(reference) {
				t.Errorf("docs/reference/admin-api.md has no row for %s of %s", name, object.Name())
			}
		}
	}
}

func TestServices_LastErrorsAreShownOnlyIfVerbose(t *testing.T) {
	options := newOptions()
	for _, verbose := range []bool{false, true} {
		options.Verbose = verbose
		for _, target := range []string{"/", "/v1/services", "/v1/services/web"} {
			body, _ := io.ReadAll(ask(New(options), "GET", target).Body)
			if shown := strings.Contains(string(body), "refused"); shown != verbose {
				t.Errorf("%s with verbose=%t: last error shown: %t", target, verbose, shown)
			}
		}
	}
	if options.Services.Services()[0].Endpoints[0].LastError == "" {
		t.Error("the source's own endpoints were changed")
	}
}
