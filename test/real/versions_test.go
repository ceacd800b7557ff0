//go:build real

package real

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// versioned starts Weir with paths of the form /service/version/rest, and services as
// they are written in YAML.
func versioned(t *testing.T, services string) *proxy {
	t.Helper()
	return startWeir(t, `
listeners: [{ address: "127.0.0.1:0" }]
routes: [{ match: { path: "/{service}/{version}/*" }, strip_prefix: "/{service}/{version}", service: "{service}@{version}" }]
services:
`+services)
}

// named serves answers of a name and what was asked for.
func named(t *testing.T, name string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name+" "+r.RequestURI) })
}

func TestVersions_ArePathsOfServices(t *testing.T) {
	w := versioned(t, fmt.Sprintf(`
  serviceone:
    versions: { v1: { endpoints: [%q, %q] }, down: { endpoints: ["http://%s"] }, none: {} }
    queue: { timeout: 100ms }
  health: { versions: { v1: { endpoints: [%q] } } }`,
		named(t, "a"), named(t, "b"), vacant(t), named(t, "health")))
	for path, want := range map[string]string{
		"/serviceone/v1/x?y=1":   "/x?y=1",
		"/serviceone/v1/a%2Fb":   "/a%2Fb",
		"/serviceone/v1":         "/",
		"/serviceone/v1/x/?":     "/x/?",
		"/serviceone/v1/%7Ea//b": "/%7Ea//b",
	} {
		for _, who := range []string{"a", "b"} {
			if _, text := answerTo(t, w.url(path)); text != "a "+want && text != "b "+want {
				t.Errorf("%s is answered %q, want that %s or the other one sees %s", path, text, who, want)
			}
		}
	}
	for path, want := range map[string]int{
		"/servicetwo/v1/x":       404,
		"/serviceone/v2/x":       404,
		"/serviceone":            404,
		"/":                      404,
		"/serviceone/v1/../../x": 400,
		"/serviceone/down/x":     502, // connect_failed: they are known, and were all asked
		"/serviceone/none/x":     503,
	} {
		if status, text := answerTo(t, w.url(path)); status != want {
			t.Errorf("%s is answered %d %s, want %d", path, status, text, want)
		}
	}
	if _, text := answerTo(t, w.url("/health/v1/x")); text != "health /x" {
		t.Errorf("a service called health is answered %q", text)
	}
	all := askAdmin(t, w, 200, "GET", "/v1/services", "")
	for _, name := range []string{"serviceone@v1", "serviceone@down", "serviceone@none", "health@v1"} {
		if !strings.Contains(all, `"`+name+`"`) {
			t.Errorf("the API does not list %s: %s", name, all)
		}
	}
	askAdmin(t, w, 200, "GET", "/healthz", "")
}

// answerTo sends a GET with the path as it is written.
func answerTo(t *testing.T, url string) (status int, text string) {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n", path)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return resp.StatusCode, string(content)
}

// One endpoint of a version is killed under load and is back: no client notices, its
// failures are counted, it rests, and gets requests again.
func TestVersions_EndpointThatIsBackServesAgain(t *testing.T) {
	a, b := startKillable(t, "127.0.0.1:0"), startKillable(t, "127.0.0.1:0")
	w := versioned(t, fmt.Sprintf("  shop: { versions: { v1: { endpoints: [{ name: a, url: \"http://%s\" }, { name: b, url: \"http://%s\" }] } } }", a.address, b.address))
	done := make(chan load, 1)
	go func() { done <- wrkOver(t, 16, w.url("/shop/v1/x"), 6*time.Second) }()
	w.awaitEndpoint(t, "shop@v1", "b", func(e shownEndpoint) bool { return e.InFlight > 0 })
	b.kill()
	w.awaitEndpoint(t, "shop@v1", "b", func(e shownEndpoint) bool { return e.State != "up" && e.Failures > 0 })
	served := w.metric(t, "weir_requests_total", `endpoint="b"`, `code="2xx"`)
	startKillable(t, b.address)
	w.awaitEndpoint(t, "shop@v1", "b", func(e shownEndpoint) bool { return e.State == "up" })
	if l := <-done; l.failed {
		t.Errorf("wrk said:\n%s", l.report)
	}
	for range 10 {
		answerTo(t, w.url("/shop/v1/x"))
	}
	if now := w.metric(t, "weir_requests_total", `endpoint="b"`, `code="2xx"`); now <= served {
		t.Errorf("the endpoint that is back has served %v requests, and %v before it was killed", now, served)
	}
}

type shownEndpoint struct {
	Name, State string
	InFlight    int `json:"in_flight"`
	Failures    int
}

// awaitEndpoint waits until what the API shows of an endpoint is right.
func (p *proxy) awaitEndpoint(t *testing.T, service, name string, right func(shownEndpoint) bool) {
	t.Helper()
	for late := time.Now().Add(recovery); ; time.Sleep(10 * time.Millisecond) {
		text := askAdmin(t, p, 200, "GET", "/v1/services/"+service, "")
		var s struct{ Endpoints []shownEndpoint }
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		for _, e := range s.Endpoints {
			if e.Name == name && right(e) {
				return
			}
		}
		if time.Now().After(late) {
			t.Fatalf("within %v endpoint %s is not as it should be: %s", recovery, name, text)
		}
	}
}

// An endpoint that is put twice is one, and once it is removed it gets nothing more.
func TestVersions_EndpointIsThereOnce(t *testing.T) {
	w := versioned(t, fmt.Sprintf("  shop: { versions: { v1: { endpoints: [%q] } } }", named(t, "a")))
	b := named(t, "b")
	path := "/v1/services/shop/versions/v1/endpoints/b"
	askAdmin(t, w, 201, "PUT", path, fmt.Sprintf(`{"url": %q}`, b))
	askAdmin(t, w, 200, "PUT", path, fmt.Sprintf(`{"url": %q}`, b))
	if got := answersOf(t, w.url("/shop/v1/x"), 10); got["a /x"] != 5 || got["b /x"] != 5 {
		t.Errorf("after it was put twice, 10 requests are answered by %v", got)
	}
	askAdmin(t, w, 204, "DELETE", path, "")
	askAdmin(t, w, 404, "DELETE", path, "")
	if got := answersOf(t, w.url("/shop/v1/x"), 10); got["a /x"] != 10 {
		t.Errorf("after it was removed, 10 requests are answered by %v", got)
	}
}

// answersOf sends requests one after the other over one connection, and counts the answers.
func answersOf(t *testing.T, url string, n int) map[string]int {
	t.Helper()
	client, counts := newHTTPClient(t), map[string]int{}
	for range n {
		counts[get(t, client, url)]++
	}
	return counts
}

// Requests are balanced one by one, over connections that are used again.
func TestVersions_RequestsTakeTurnsOverFewConnections(t *testing.T) {
	var opened atomic.Int64
	counting := func(name string) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		return s.URL
	}
	w := versioned(t, fmt.Sprintf("  shop: { versions: { v1: { endpoints: [%q, %q] } } }", counting("a"), counting("b")))
	if got := answersOf(t, w.url("/shop/v1/"), 20); got["a"] != 10 || got["b"] != 10 {
		t.Errorf("20 requests are answered by %v, want 10 by each", got)
	}
	answersOf(t, w.url("/shop/v1/"), 80)
	if n := opened.Load(); n > 4 {
		t.Errorf("100 requests opened %d connections to two endpoints", n)
	}
}

// An endpoint reads a request and dies without an answer: a POST is not sent again
// unless that is configured, a GET is.
func TestVersions_RequestLostWithItsEndpointIsNotDoubled(t *testing.T) {
	var executed atomic.Int64
	count := func(http.ResponseWriter, *http.Request) { executed.Add(1) }
	dying := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		count(w, r)
		panic(http.ErrAbortHandler)
	})
	well := serve(t, count)
	w := versioned(t, fmt.Sprintf(`
  strict: { backpressure: off, versions: { v1: { endpoints: [%[1]q, %[2]q] } } }
  relaxed: { backpressure: off, non_idempotent: true, versions: { v1: { endpoints: [%[1]q, %[2]q] } } }`, dying, well))
	client := newHTTPClient(t)
	lost := 0
	for range 10 {
		resp, err := client.Post(w.url("/strict/v1/x"), "text/plain", strings.NewReader("once"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusBadGateway {
			lost++
		} else if resp.StatusCode != http.StatusOK {
			t.Errorf("a POST is answered %s", resp.Status)
		}
	}
	if n := executed.Load(); n != 10 || lost != 5 {
		t.Errorf("10 POSTs were executed %d times, and %d answered with 502; want 10 and 5", n, lost)
	}
	for range 10 {
		resp, err := client.Post(w.url("/relaxed/v1/x"), "text/plain", strings.NewReader("again"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("a POST that may be sent again is answered %s", resp.Status)
		}
		get(t, client, w.url("/strict/v1/x"))
	}
}

// What connects to an endpoint that swallows everything goes elsewhere in time.
func TestVersions_BlackholeIsPassedOver(t *testing.T) {
	ns := newNamespace(t)
	ns.cutOff(t)
	w := versioned(t, fmt.Sprintf("  shop: { versions: { v1: { endpoints: [\"http://%s:8000\", %q] } } }", ns.inside, named(t, "well")))
	var slowest time.Duration
	for range 10 {
		began := time.Now()
		if status, text := answerTo(t, w.url("/shop/v1/x")); status != 200 || text != "well /x" {
			t.Errorf("a request is answered %d %q", status, text)
		}
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("the slowest of 10 requests took %v", slowest.Round(time.Millisecond))
	if slowest > 2*time.Second+forTheMachine {
		t.Errorf("a request took %v", slowest)
	}
}

// Endpoints of one version may be reached by http and https, and no proxy of the
// environment is asked.
func TestVersions_SchemesMixAndNoProxyIsAsked(t *testing.T) {
	var asked atomic.Int64
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusTeapot)
	})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, other)
	}
	host, ca := newNamespace(t).outside, newAuthority(t) // no proxy is ever asked about loopback
	plain, secured := listenAt(t, host), tls.NewListener(listenAt(t, host), &tls.Config{Certificates: []tls.Certificate{ca.issue(t, host).load(t)}})
	serveOn(t, plain, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
	serveOn(t, secured, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secured") })
	w := versioned(t, fmt.Sprintf("  shop: { tls: { ca: %q }, versions: { v1: { endpoints: [\"http://%s\", \"https://%s\"] } } }", ca.file, plain.Addr(), secured.Addr()))
	got := map[string]int{}
	for range 10 {
		_, text := answerTo(t, w.url("/shop/v1/x"))
		got[text]++
	}
	if got["secured"] != 5 || got["plain"] != 5 || asked.Load() != 0 {
		t.Errorf("10 requests are answered by %v, and %d by the proxy of the environment", got, asked.Load())
	}
}

// listenAt listens on a free port of an address.
func listenAt(t *testing.T, host string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}
