//go:build real

package real

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A mirror is a server that sends content and its Content-Type and coding back, and
// tells of the fields that it has got.
func mirror(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := r.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	fields, _ := json.Marshal(r.Header)
	w.Header().Set("X-Fields", string(fields))
	w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
	switch r.URL.Path {
	case "/none":
		w.WriteHeader(http.StatusNoContent)
		return
	case "/hop":
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("X-End", "1")
	}
	_, _ = w.Write(content)
}

// startMirrors runs the example before servers that send back what they get.
func startMirrors(t *testing.T) *reverseProxy {
	t.Helper()
	e := &reverseProxy{client: newHTTPClient(t)}
	e.proxy = startWeir(t, reverseProxyYAML(t, serve(t, mirror), serve(t, mirror), serve(t, mirror)))
	return e
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unpacked(t *testing.T, text string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// Check 17: content that is no JSON object passes as it is, byte for byte, and
// Forwarded is set all the same.
func TestReverseProxyExample_LeavesAloneWhatIsNoJSONObject(t *testing.T) {
	e := startMirrors(t)
	image := string([]byte{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0xff, 0xfe, '{', '}', 0})
	for name, c := range map[string]struct{ method, kind, coding, content string }{
		"a GET without content":         {method: "GET"},
		"text":                          {"POST", "text/plain", "", "snot\n"},
		"an object that is called text": {"POST", "text/plain", "", `{"snot":"badger"}`},
		"an image":                      {"POST", "image/png", "", image},
		"text in gzip":                  {"POST", "text/plain", "gzip", packed(t, "snot")},
		"an array":                      {"POST", "application/json", "", ` [1, {"a": 9007199254740993}, 1.0e3] `},
		"a text of JSON":                {"POST", "application/json", "", `"snot"`},
		"an array in gzip":              {"POST", "application/json", "gzip", packed(t, `[1]`)},
		"broken JSON":                   {"POST", "application/json", "", `{"snot": `},
		"broken gzip":                   {"POST", "application/json", "gzip", `{"snot":"badger"}`},
		"an unknown coding":             {"POST", "application/json", "x-odd", `{"snot":"badger"}`},
	} {
		req := request(t, c.method, e.url("/"), c.content)
		if c.kind != "" {
			req.Header.Set("Content-Type", c.kind)
		}
		if c.coding != "" {
			req.Header.Set("Content-Encoding", c.coding)
		}
		resp, got := e.send(t, req)
		if resp.StatusCode != http.StatusOK || got != c.content {
			t.Errorf("%s: %s, and %q comes back, want %q", name, resp.Status, got, c.content)
		}
		e.wantForwarded(t, name, resp)
	}
}

// fields are those that a mirror has got.
func fields(t *testing.T, resp *http.Response) (h http.Header) {
	t.Helper()
	if err := json.Unmarshal([]byte(resp.Header.Get("X-Fields")), &h); err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return h
}

func (e *reverseProxy) wantForwarded(t *testing.T, what string, resp *http.Response) {
	t.Helper()
	want := e.forwarded(e.proxy.addresses[0])
	if lines := fields(t, resp)["Forwarded"]; len(lines) != 1 || lines[0] != want {
		t.Errorf("%s: the server has got Forwarded as %q, want %q once", what, lines, want)
	}
}

// Check 17: an object has one more member, and nothing else in it changes: numbers of
// any size, names that stand there twice, spaces.
func TestReverseProxyExample_ChangesAnObjectInOnePlace(t *testing.T) {
	e := startMirrors(t)
	member, _ := json.Marshal(e.forwarded(e.proxy.addresses[0]))
	for _, c := range []struct{ before, after string }{
		{`{"snot": "badger"`, `}`},
		{"{ \"big\" : 9007199254740993,\n\t\"small\": 1.0e-3, \"twice\": 1, \"twice\": 2, \"deep\": [{}, {\"é\": \"\\u00e9\"}]", " }\n"},
		{`{"huge": 123456789012345678901234567890, "nested": {"forwarded": "no"}`, `}`},
	} {
		document := c.before + c.after
		want := c.before + `,"forwarded":` + string(member) + c.after
		resp, got := e.send(t, request(t, "PUT", e.url("/"), document, "Content-Type", "application/json"))
		if got != want {
			t.Errorf("%s\nreaches the server as\n%s\nwant\n%s", document, got, want)
		}
		if length := resp.Header.Get("X-Length"); length != fmt.Sprint(len(want)) {
			t.Errorf("its Content-Length is %s, want %d", length, len(want))
		}
		_, coded := e.send(t, request(t, "PUT", e.url("/"), packed(t, document), "Content-Type", "application/json", "Content-Encoding", "gzip"))
		if got := unpacked(t, coded); got != want {
			t.Errorf("in gzip, %s\nreaches the server as\n%s\nwant\n%s", document, got, want)
		}
	}
	if _, got := e.send(t, request(t, "POST", e.url("/"), `{}`, "Content-Type", "application/vnd.api+json")); got != `{"forwarded":`+string(member)+`}` {
		t.Errorf("an empty object reaches the server as %s", got)
	}
}

// Check 17: answers without content stay without, and have their fields.
func TestReverseProxyExample_PassesAnswersWithoutContent(t *testing.T) {
	e := startMirrors(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{{"HEAD", "/", 200}, {"GET", "/none", 204}} {
		resp, got := e.send(t, request(t, c.method, e.url(c.path), ""))
		if resp.StatusCode != c.status || got != "" {
			t.Errorf("%s %s is answered with %s %q, want %d without content", c.method, c.path, resp.Status, got, c.status)
		}
		if lines := resp.Header.Values("Via"); len(lines) != 1 || lines[0] != via(t) {
			t.Errorf("%s %s: Via is %q, want %q", c.method, c.path, lines, via(t))
		}
		e.wantForwarded(t, c.method, resp)
	}
}

// Check 18: fields for one connection stay there, both ways; and what a client says in
// Forwarded is replaced, however it tries.
func TestReverseProxyExample_KeepsHopByHopFieldsToThemselves(t *testing.T) {
	e := startMirrors(t)
	answer := exchangeRaw(t, e.proxy.addresses[0], strings.Join([]string{
		"GET /hop HTTP/1.1", "Host: " + e.proxy.addresses[0], "Connection: close, X-Secret, Forwarded", "X-Secret: 1", "Keep-Alive: timeout=9",
		"Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: odd", "Forwarded: for=10.9.9.9", "forwarded: by=me", "X-Kept: 1", "", "",
	}, "\r\n"))
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	if err != nil {
		t.Fatalf("%v:\n%s", err, answer)
	}
	got := fields(t, resp)
	for _, name := range []string{"Connection", "X-Secret", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade"} {
		if lines, there := got[name]; there {
			t.Errorf("the server has got %s: %q", name, lines)
		}
	}
	if got.Get("X-Kept") != "1" {
		t.Error("the server has not got X-Kept")
	}
	e.wantForwarded(t, "a client that says Forwarded twice, and names it in Connection", resp)
	for _, name := range []string{"X-Hop", "Keep-Alive"} {
		if lines, there := resp.Header[name]; there {
			t.Errorf("the client has got %s: %q", name, lines)
		}
	}
	if resp.Header.Get("X-End") != "1" {
		t.Error("the client has not got X-End")
	}
}

// Check 22: a request may name its server, by path or by a field; the server's own
// path and query come before those of the request.
func TestReverseProxyExample_LetsRequestsChooseTheirServer(t *testing.T) {
	e := startReverseProxy(t)
	w := startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
routes:
  - { match: { path: "/second/*" }, service: second, strip_prefix: /second }
  - { match: { path: "/*", headers: { x-server: third } }, service: third }
  - match: { path: "/*" }
    service: first
    request:
      - if: 'request.query["server"] in ["second", "third"]'
        route: 'request.query["server"]'
services:
  first: { host: endpoint, endpoints: ["http://%s"] }
  second: { host: endpoint, endpoints: ["http://%s/anything/base?k=v"] }
  third: { host: endpoint, endpoints: ["http://%s/anything"] }
`, e.addresses[0], e.addresses[1], e.addresses[2]))
	for _, c := range []struct {
		path, field, want string
	}{
		{"/anything/p?q=1", "", e.addresses[0] + "/anything/p?q=1"},
		{"/second/p?q=1", "", e.addresses[1] + "/anything/base/p?k=v&q=1"},
		{"/second/", "", e.addresses[1] + "/anything/base/?k=v"},
		{"/p?q=1", "third", e.addresses[2] + "/anything/p?q=1"},
		{"/p?server=second", "", e.addresses[1] + "/anything/base/p?k=v&server=second"},
		{"/p?server=third", "", e.addresses[2] + "/anything/p?server=third"},
	} {
		req := request(t, "GET", w.url(c.path), "")
		if c.field != "" {
			req.Header.Set("X-Server", c.field)
		}
		if _, a := e.ask(t, req); a.URL != "http://"+c.want {
			t.Errorf("%s (X-Server: %q) reaches %s, want http://%s", c.path, c.field, a.URL, c.want)
		}
	}
}
