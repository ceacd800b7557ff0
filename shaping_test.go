package weir_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// mirror answers with what it was asked, as JSON, and with the status that X-Answer
// says.
func mirror(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Name", name)
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		if via := r.Header.Get("X-Via"); via != "" {
			w.Header().Set("Via", via)
		}
		if r.Header.Get("X-Answer") == "503" {
			w.WriteHeader(503)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"name": name, "method": r.Method, "uri": r.RequestURI, "host": r.Host, "headers": r.Header, "body": string(body),
			"length": r.ContentLength,
		})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A mirrored answer is what a mirror was asked.
type mirrored struct {
	Name, Method, URI, Host, Body string
	Length                        int64
	Headers                       http.Header
}

// startWritten runs a proxy of a configuration as it is written; {a} and {b} stand for two
// mirrors.
func startWritten(t *testing.T, text string, options ...weir.Option) router {
	t.Helper()
	text = strings.NewReplacer("{a}", mirror(t, "a"), "{b}", mirror(t, "b")).Replace(text)
	c, _, err := config.Parse("weir.yaml", []byte(text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return startProvided(t, *c, options...)
}

// send sends a request with fields, one name and one value after the other.
func (r router) send(t *testing.T, method, path, body string, fields ...string) (*http.Response, string) {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, r.url+path, content)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "Host" {
			req.Host = fields[i+1]
		}
		req.Header.Add(fields[i], fields[i+1])
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
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

// asked is send to a mirror.
func (r router) asked(t *testing.T, method, path, body string, fields ...string) (*http.Response, mirrored) {
	t.Helper()
	resp, text := r.send(t, method, path, body, fields...)
	var m mirrored
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s %s is answered %d %s", method, path, resp.StatusCode, text)
	}
	return resp, m
}

func TestShaping_StepsChangeTheRequest(t *testing.T) {
	r := startWritten(t, `
services: { web: { endpoints: ["{a}"] }, other: { endpoints: ["{b}"] } }
routes:
  - match: { path: "/api/{id}/*" }
    service: web
    strip_prefix: /api
    request:
      - let: { who: '"by=" + request.host + ";" + request.scheme' }
      - set: { Forwarded: who, X-Id: captures.id, X-Twice: '"one"' }
      - add: { X-Twice: '"two"' }
      - remove: [X-Secret]
      - json: { set: { forwarded: who } }
      - if: request.method == "POST"
        set: { X-Write: 'true' }
      - if: '"admin" in request.queries["role"]'
        then: [{ rewrite: { path: '"/admin" + request.path', query: '"x=1"', host: '"admin.example"', method: '"PUT"' } }]
        else: [{ set: { X-Plain: '"yes"' } }]
      - if: request.path == "/7/no"
        respond: { status: "403", body: '{"no": request.method}' }
      - if: request.path == "/7/old"
        redirect: { to: '"/new"', status: '301' }
      - if: request.path == "/7/else"
        route: '"other"'
      - if: request.path == "/7/nowhere"
        route: '"nowhere@v9"'
  - service: web
`)
	const body = `{ "snot":"badger", "big": 12345678901234567890, "snot":"again" }`
	_, m := r.asked(t, "POST", "/api/7/x?y=1", body, "Content-Type", "application/json", "X-Secret", "s", "Host", "shop.example", "X-Twice", "zero")
	if m.Method != "POST" || m.URI != "/7/x?y=1" || m.Headers.Get("Forwarded") != "by=shop.example;http" || m.Headers.Get("X-Id") != "7" ||
		fmt.Sprint(m.Headers["X-Twice"]) != "[one two]" || m.Headers.Get("X-Secret") != "" || m.Headers.Get("X-Write") != "true" || m.Headers.Get("X-Plain") != "yes" {
		t.Errorf("the endpoint was asked %+v", m)
	}
	if want := strings.Replace(body, ` }`, `,"forwarded":"by=shop.example;http" }`, 1); m.Body != want && m.Length != int64(len(m.Body)) {
		t.Errorf("the content arrived as %s (%d), want %s", m.Body, m.Length, want)
	}
	if !strings.Contains(m.Body, `"big": 12345678901234567890, "snot":"again"`) || !strings.Contains(m.Body, `"forwarded":"by=shop.example;http"`) || m.Length != int64(len(m.Body)) {
		t.Errorf("the content arrived as %s (%d)", m.Body, m.Length)
	}
	if _, m := r.asked(t, "POST", "/api/7/x?role=admin", ""); m.Method != "PUT" || m.URI != "/admin/7/x?x=1" || m.Host != "admin.example" {
		t.Errorf("a request that was rewritten arrived as %+v", m)
	}
	resp, text := r.send(t, "GET", "/api/7/no", "")
	if resp.StatusCode != 403 || text != `{"no":"GET"}` || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("an answer at once is %d %s %s", resp.StatusCode, resp.Header.Get("Content-Type"), text)
	}
	if resp, _ := r.send(t, "GET", "/api/7/old", ""); resp.StatusCode != 301 || resp.Header.Get("Location") != "/new" {
		t.Errorf("a redirection is %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if _, m := r.asked(t, "GET", "/api/7/else", ""); m.Name != "b" {
		t.Errorf("a request that was sent elsewhere is answered by %s", m.Name)
	}
	if resp, text := r.send(t, "GET", "/api/7/nowhere", ""); resp.StatusCode != 404 || !strings.Contains(text, "unknown_service") {
		t.Errorf("a request that was sent nowhere is answered %d %s", resp.StatusCode, text)
	}
	if _, m := r.asked(t, "GET", "/plain", "", "X-Secret", "s"); m.Headers.Get("X-Secret") != "s" || m.Headers.Get("Forwarded") != "" {
		t.Errorf("a route without steps changes %+v", m)
	}
}

func TestShaping_StepsChangeTheResponse(t *testing.T) {
	r := startWritten(t, `
services: { web: { endpoints: [{ url: "{a}", name: first }] }, dead: { endpoints: ["http://127.0.0.1:1"] } }
routes:
  - match: { path: "/x/*" }
    service: web
    request: [{ let: { start: 'request.path' } }]
    response:
      - append: { Via: '"1.1 " + hostname + "/weir"' }
      - set: { X-Endpoint: endpoint.name, X-Path: start, X-Status: response.status }
      - remove: X-Name
      - json: { set: { extra: 'response.status + 1' }, remove: headers }
      - if: response.status == 503
        respond: { status: '502', body: '"sorry"' }
  - match: { path: "/dead" }
    service: dead
    response: [{ set: { X-Quiet: '"no"' } }, { errors: true, set: { X-Sorry: response.status } }]
`)
	resp, text := r.send(t, "GET", "/x/y", "", "X-Via", "1.0 old")
	if via := resp.Header.Values("Via"); len(via) != 1 || !strings.HasPrefix(via[0], "1.0 old, 1.1 ") {
		t.Errorf("Via is %q", via)
	}
	if resp.Header.Get("X-Endpoint") != "first" || resp.Header.Get("X-Path") != "/x/y" || resp.Header.Get("X-Status") != "200" || resp.Header.Get("X-Name") != "" {
		t.Errorf("the fields are %v", resp.Header)
	}
	if fmt.Sprint(resp.Header["Set-Cookie"]) != "[a=1 b=2]" {
		t.Errorf("the cookies are %q", resp.Header["Set-Cookie"])
	}
	if !strings.Contains(text, `"extra":201`) || strings.Contains(text, `"headers"`) || resp.ContentLength != int64(len(text)) {
		t.Errorf("the content is %s (%d)", text, resp.ContentLength)
	}
	if resp, text := r.send(t, "GET", "/x/y", "", "X-Answer", "503"); resp.StatusCode != 502 || text != "sorry" {
		t.Errorf("a response that was replaced is %d %q", resp.StatusCode, text)
	}
	if resp, _ := r.send(t, "GET", "/dead", ""); resp.StatusCode != 502 || resp.Header.Get("X-Sorry") != "502" || resp.Header.Get("X-Quiet") != "" {
		t.Errorf("an error of Weir's own is %d with %v", resp.StatusCode, resp.Header)
	}
}

func TestShaping_ExpressionsThatFailSkipOrEndTheRequest(t *testing.T) {
	r := startWritten(t, `
services: { web: { endpoints: ["{a}"] } }
routes:
  - match: { path: /skip }
    service: web
    request: [{ set: { X-N: 'int(request.query["n"])' } }, { set: { X-After: '"yes"' } }]
  - match: { path: /fail }
    service: web
    on_error: fail
    request: [{ set: { X-N: 'int(request.query["n"])' } }]
  - match: { path: /late }
    service: web
    on_error: fail
    response: [{ set: { X-N: 'int(response.headers["x-name"])' } }]
`)
	if _, m := r.asked(t, "GET", "/skip?n=x", ""); m.Headers.Get("X-N") != "" || m.Headers.Get("X-After") != "yes" {
		t.Errorf("a step that fails leaves %v", m.Headers)
	}
	if _, m := r.asked(t, "GET", "/fail?n=7", ""); m.Headers.Get("X-N") != "7" {
		t.Errorf("a step that holds leaves %v", m.Headers)
	}
	for _, path := range []string{"/fail?n=x", "/late"} {
		if resp, text := r.send(t, "GET", path, ""); resp.StatusCode != 500 || !strings.Contains(text, "expression_failed") || strings.Contains(text, "parse") {
			t.Errorf("%s is answered %d %s", path, resp.StatusCode, text)
		}
	}
}

func TestShaping_GuardsAreTriedInTheOrderWritten(t *testing.T) {
	r := startWritten(t, `
services: { a: { endpoints: ["{a}"] }, b: { endpoints: ["{b}"] } }
routes:
  - { match: { path: "/*" }, service: a }
  - { match: { path: "/*", when: 'request.query["v"] == "2"' }, service: b }
  - { match: { path: "/only", when: 'request.headers["x-canary"] == "1"' }, service: b }
  - { match: { path: "/{n}/bad", when: 'int(captures.n) > 0' }, service: b }
`)
	for path, want := range map[string]string{"/x": "a", "/x?v=2": "b", "/x?v=3": "a", "/only": "a", "/7/bad": "b", "/x/bad": "a", "/0/bad": "a"} {
		if _, m := r.asked(t, "GET", path, ""); m.Name != want {
			t.Errorf("%s is answered by %s, want %s", path, m.Name, want)
		}
	}
	if _, m := r.asked(t, "GET", "/only", "", "X-Canary", "1"); m.Name != "b" {
		t.Errorf("with the field it is answered by %s", m.Name)
	}
}

func TestShaping_ReadyMadeThings(t *testing.T) {
	r := startWritten(t, `
trusted_proxies: [127.0.0.1]
services: { web: { endpoints: ["{a}"] } }
routes:
  - { match: { path: /via }, service: web, via: true, forwarded: rfc7239 }
  - { match: { path: /deny }, service: web, allow: [127.0.0.0/8], deny: [127.0.0.9] }
  - { match: { path: /size }, service: web, max_body: 10B }
  - { match: { path: /limit }, service: web, rate_limit: { requests: 2, per: 1h, key: 'request.headers["x-key"]' }, cors: { origins: "https://app.example" } }
  - { match: { path: /cors }, service: web, cors: { origins: "https://app.example", headers: [X-Key], credentials: true } }
  - { match: { path: /zip }, service: web, compress: true }
`)
	resp, m := r.asked(t, "GET", "/via", "", "Forwarded", "for=192.0.2.1", "Host", "shop.example", "Via", "1.0 front", "X-Via", "1.0 back")
	if via := resp.Header.Get("Via"); via != "1.0 back, 1.1 weir" || m.Headers.Get("Via") != "1.0 front, 1.1 weir" {
		t.Errorf("Via is %q to the client and %q to the endpoint", via, m.Headers.Get("Via"))
	}
	if f := m.Headers.Get("Forwarded"); !strings.HasPrefix(f, "for=192.0.2.1, ") || !strings.Contains(f, "host=shop.example") || !strings.Contains(f, "proto=http") || !strings.Contains(f, "by=") {
		t.Errorf("Forwarded is %q", f)
	}
	if resp, text := r.send(t, "GET", "/deny", "", "X-Forwarded-For", "127.0.0.9"); resp.StatusCode != 403 || !strings.Contains(text, "forbidden") {
		t.Errorf("who is denied is answered %d %s", resp.StatusCode, text)
	}
	if resp, _ := r.send(t, "GET", "/deny", "", "X-Forwarded-For", "192.0.2.7"); resp.StatusCode != 403 {
		t.Errorf("who is not allowed is answered %d", resp.StatusCode)
	}
	r.asked(t, "GET", "/deny", "", "X-Forwarded-For", "127.0.0.1")
	if resp, _ := r.send(t, "POST", "/size", "01234567890"); resp.StatusCode != 413 {
		t.Errorf("11 bytes where 10 may be are answered %d", resp.StatusCode)
	}
	r.asked(t, "POST", "/size", "0123456789")
	for i := range 3 {
		resp, _ := r.send(t, "GET", "/limit", "", "X-Key", "k", "Origin", "https://app.example")
		if limited := i == 2; (resp.StatusCode == 429) != limited || limited && (resp.Header.Get("Retry-After") == "" || resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example") {
			t.Errorf("request %d within the limit of 2 is answered %d with %v", i+1, resp.StatusCode, resp.Header)
		}
	}
	r.asked(t, "GET", "/limit", "", "X-Key", "another")
	resp, text := r.send(t, "OPTIONS", "/cors", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "X-Key") {
		t.Errorf("a preflight is answered %d %v %s", resp.StatusCode, resp.Header, text)
	}
	if resp, _ := r.asked(t, "GET", "/cors", "", "Origin", "https://evil.example"); resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin is let in: %v", resp.Header)
	}
	long := strings.Repeat("x", 2000)
	resp, text = r.send(t, "GET", "/zip?"+long, "", "Accept-Encoding", "gzip")
	unzipped, err := gzip.NewReader(strings.NewReader(text))
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" || resp.Header.Get("Vary") == "" {
		t.Fatalf("it is not compressed (%v): %v", err, resp.Header)
	}
	if plain, err := io.ReadAll(unzipped); err != nil || !strings.Contains(string(plain), long) {
		t.Errorf("it was not unzipped: %v", err)
	}
	if resp, _ := r.asked(t, "GET", "/zip?"+long, ""); resp.Header.Get("Content-Encoding") != "" {
		t.Error("it is compressed for who has not asked for it")
	}
}

func TestShaping_LimitsGoOnCountingAcrossAReload(t *testing.T) {
	a := app(t, "a")
	c := one(a.URL)
	c.Routes = []config.Route{{Service: "web", RateLimit: &config.RateLimit{Requests: 1, Per: config.Duration(1 << 41)}}}
	r := startConfigured(t, c)
	if status, _ := get(t, r.url+"/"); status != 200 {
		t.Fatalf("the first request is answered %d", status)
	}
	web := c.Services["web"]
	web.Balance = "random"
	c.Services["web"] = web
	r.mustApply(t, c)
	if status, _ := get(t, r.url+"/"); status != 429 {
		t.Errorf("after a reload the second request is answered %d", status)
	}
}

func TestShaping_ExpressionsPlaceJudgeAndLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	r := startWritten(t, `
services:
  place: { endpoints: ["{a}", "{b}"], balance: hash, hash_on: 'request.query["u"] + "!"' }
  judge: { endpoints: ["{a}", "{b}"], strategy: failover, usable: 'response.headers["x-name"] == "b"' }
routes:
  - { service: place }
  - { match: { path: /judge }, service: judge }
access_log: { path: `+log+`, fields: { agent: 'request.headers["user-agent"]', n: 'int(request.query["n"])', list: '["a", "b"]' } }
`)
	first := map[string]string{}
	names := map[string]bool{}
	for range 3 {
		for u := range 20 {
			user := fmt.Sprint(u)
			_, m := r.asked(t, "GET", "/?u="+user, "")
			if before := first[user]; before != "" && before != m.Name {
				t.Fatalf("user %s moves from %s to %s", user, before, m.Name)
			}
			first[user], names[m.Name] = m.Name, true
		}
	}
	if len(names) != 2 {
		t.Errorf("20 users are all at %v", names)
	}
	if _, m := r.asked(t, "GET", "/judge", ""); m.Name != "b" {
		t.Errorf("the response that is usable is that of b; it came from %s", m.Name)
	}
	r.asked(t, "GET", "/?n=12", "", "User-Agent", `quo"te`)
	eventually(t, "the line is written", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(text), `"agent":"quo\"te","n":12,"list":["a","b"]}`+"\n")
	})
	text, _ := os.ReadFile(log)
	for line := range strings.Lines(string(text)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line is no JSON: %s", line)
		}
	}
}

func TestShaping_LogsOfTheResponse(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	r := startWritten(t, `
services:
  web: { endpoints: [{ url: "{a}", name: first, labels: { rack: r7 } }] }
routes:
  - { match: { path: /shaped }, service: web, response: [{ set: { X-Made: '"by " + endpoint.name' } }] }
  - { match: { path: /plain }, service: web }
access_log:
  path: `+log+`
  fields:
    code: response.status + 0
    name: response.headers["x-name"]
    made: response.headers["x-made"]
    rack: endpoint.labels.rack
    n: int(response.headers["x-made"])
    to: service
    path: request.path
`)
	for _, path := range []string{"/shaped", "/plain", "/nowhere"} {
		r.asked(t, "GET", path, "")
	}
	for _, want := range []string{
		`"code":200,"name":"a","made":"by first","rack":"r7","to":"","path":"/shaped"}`,
		`"code":200,"name":"a","made":"","rack":"r7","to":"","path":"/plain"}`,
		`"code":404,"name":"","made":"","rack":"","to":"","path":"/nowhere"}`,
	} {
		eventually(t, "a line has "+want, func() bool {
			text, err := os.ReadFile(log)
			return err == nil && strings.Contains(string(text), want+"\n")
		})
	}
}

func TestShaping_CountsWhatIsSkipped(t *testing.T) {
	r := startWritten(t, `
services: { web: { endpoints: ["{a}"] } }
routes: [{ service: web, request: [{ set: { X-N: 'int(request.query["n"])' } }, { json: { set: { a: '1' } } }] }]
`)
	r.asked(t, "POST", "/?n=x", "no JSON", "Content-Type", "application/json")
	text := r.must(t, 200, "GET", "/metrics", "")
	for _, want := range []string{`weir_steps_skipped_total{reason="error"} 1`, `weir_steps_skipped_total{reason="not_json"} 1`, `weir_steps_skipped_total{reason="cost"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
