//go:build real

package real

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// httpbinBinary is what scripts/install-httpbin.sh installs.
const httpbinBinary = "../../.cache/bin/go-httpbin"

// A bench of examples/reverse-proxy: its configuration, on ports that are free.
type reverseProxy struct {
	*proxy
	servers   []*process
	addresses []string // of the servers
	client    *http.Client
}

// startReverseProxy runs the example before three servers of httpbin.
func startReverseProxy(t *testing.T) *reverseProxy {
	t.Helper()
	if _, err := os.Stat(httpbinBinary); err != nil {
		t.Fatal("go-httpbin is missing: run scripts/install-httpbin.sh")
	}
	e := &reverseProxy{client: newHTTPClient(t)}
	for range 3 {
		address := vacant(t)
		host, port, _ := net.SplitHostPort(address)
		s := start(t, httpbinBinary, "-host", host, "-port", port)
		s.await(t, "listening", 1)
		e.servers, e.addresses = append(e.servers, s), append(e.addresses, address)
	}
	e.proxy = startWeir(t, reverseProxyYAML(t, e.addresses...))
	return e
}

// reverseProxyYAML is the example's file with other addresses.
func reverseProxyYAML(t *testing.T, servers ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/reverse-proxy/weir.yaml")
	if err != nil {
		t.Fatal(err)
	}
	replace := []string{"127.0.0.1:65535", vacant(t)}
	for i, server := range servers {
		replace = append(replace, fmt.Sprintf("127.0.0.1:%d", 8081+i), strings.TrimPrefix(server, "http://"))
	}
	return strings.NewReplacer(replace...).Replace(string(text))
}

// forwarded is what the example says of a request for a host.
func (p *proxy) forwarded(host string) string {
	return fmt.Sprintf(`by="%s";host="%s";proto=http`, p.addresses[0], host)
}

// via is the example's own entry in Via.
func via(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return "1.1 " + name + "/weir"
}

// An asked is what httpbin tells of a request.
type asked struct {
	Method, URL, Data string
	Args, Headers     http.Header
	JSON              map[string]any
}

// ask sends a request and returns the answer, and what httpbin tells in it.
func (e *reverseProxy) ask(t *testing.T, req *http.Request) (*http.Response, asked) {
	t.Helper()
	resp, text := e.send(t, req)
	var a asked
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%s %s: %s %q: %v", req.Method, req.URL, resp.Status, text, err)
	}
	return resp, a
}

func (e *reverseProxy) send(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := e.client.Do(req)
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

// request makes a request with fields: names and values in turn.
func request(t *testing.T, method, url, content string, fields ...string) *http.Request {
	t.Helper()
	var body io.Reader
	if content != "" {
		body = strings.NewReader(content)
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	return req
}

// Check 1: the servers take turns, in exact order, on one connection of the client.
func TestReverseProxyExample_TakesTurns(t *testing.T) {
	e := startReverseProxy(t)
	for i := range 9 {
		_, a := e.ask(t, request(t, "GET", e.url("/get"), ""))
		if got, want := a.Headers.Get("Host"), e.addresses[i%3]; got != want {
			t.Errorf("request %d reached %s, want %s", i+1, got, want)
		}
	}
}

// What the transcript of the original proves (checks 2, 3, 4 and 5).
func TestReverseProxyExample_DoesWhatTheOriginalShows(t *testing.T) {
	e := startReverseProxy(t)
	const content = `{"snot": "badger"}`
	resp, a := e.ask(t, request(t, "GET", e.url("/anything?x=1"), content,
		"Content-Type", "application/json", "User-Agent", "curl/7.65.3", "Accept", "*/*"))

	forwarded := e.forwarded(e.proxy.addresses[0])
	quoted, _ := json.Marshal(forwarded)
	data := `{"snot": "badger","forwarded":` + string(quoted) + `}`
	for what, both := range map[string][2]string{
		"the method":                     {a.Method, "GET"},
		"the URL":                        {a.URL, "http://" + e.addresses[0] + "/anything?x=1"},
		"the content":                    {a.Data, data},
		"its member snot":                {fmt.Sprint(a.JSON["snot"]), "badger"},
		"its member forwarded":           {fmt.Sprint(a.JSON["forwarded"]), forwarded},
		"Content-Length":                 {a.Headers.Get("Content-Length"), fmt.Sprint(len(data))},
		"Content-Type":                   {a.Headers.Get("Content-Type"), "application/json"},
		"Host":                           {a.Headers.Get("Host"), e.addresses[0]},
		"User-Agent":                     {a.Headers.Get("User-Agent"), "curl/7.65.3"},
		"Accept":                         {a.Headers.Get("Accept"), "*/*"},
		"Via":                            {strings.Join(resp.Header.Values("Via"), "|"), via(t)},
		"Access-Control-Allow-Origin":    {resp.Header.Get("Access-Control-Allow-Origin"), "*"},
		"the Content-Type of the answer": {resp.Header.Get("Content-Type"), "application/json; charset=utf-8"},
	} {
		if both[0] != both[1] {
			t.Errorf("%s is %q, want %q", what, both[0], both[1])
		}
	}
	if lines := a.Headers["Forwarded"]; len(lines) != 1 || lines[0] != forwarded {
		t.Errorf("the server has got Forwarded as %q, want %q once", lines, forwarded)
	}
	for _, name := range []string{"Accept-Encoding", "Expect", "X-Upstream"} {
		if _, there := a.Headers[name]; there {
			t.Errorf("the server has got %s: %q, which nobody sent", name, a.Headers.Get(name))
		}
	}
	if resp.Header.Get("Date") == "" {
		t.Error("the answer has lost its Date")
	}
	if lines := resp.Header.Values("Connection"); len(lines) > 0 {
		t.Errorf("the server's Connection: %q leaks to the client", lines)
	}
}

// Check 3: the host is the one that the client asked for, whatever Host the server
// gets; a client of HTTP/1.0 need not name one.
func TestReverseProxyExample_SaysWhichHostWasAskedFor(t *testing.T) {
	e := startReverseProxy(t)
	req := request(t, "GET", e.url("/get"), "")
	req.Host = "shop.example"
	_, a := e.ask(t, req)
	if got, want := a.Headers.Get("Forwarded"), e.forwarded("shop.example"); got != want {
		t.Errorf("Forwarded is %q, want %q", got, want)
	}
	if got := a.Headers.Get("Host"); got != e.addresses[0] {
		t.Errorf("Host is %q, want the server's own, %s", got, e.addresses[0])
	}

	answer := exchangeRaw(t, e.proxy.addresses[0], "GET /get HTTP/1.0\r\n\r\n")
	quoted, _ := json.Marshal(e.forwarded("UNDEFINED"))
	if !strings.HasPrefix(answer, "HTTP/1.1 200 ") || !strings.Contains(answer, string(quoted)) {
		t.Errorf("a request without Host is answered with\n%s\nwant 200, and a Forwarded that is %s", answer, quoted)
	}
}

// exchangeRaw sends bytes on a connection of its own, and returns all that comes back.
func exchangeRaw(t *testing.T, address, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// Check 5: what the server says in Via stands before what Weir says.
func TestReverseProxyExample_AppendsToVia(t *testing.T) {
	e := startReverseProxy(t)
	resp, _ := e.send(t, request(t, "GET", e.url("/response-headers?Via=1.0+inner"), ""))
	if got, want := strings.Join(resp.Header.Values("Via"), ", "), "1.0 inner, "+via(t); got != want {
		t.Errorf("Via is %q, want %q", got, want)
	}
}

// Check 6: fields, cookies and status pass; X-Upstream is for the third server alone,
// where it replaces a client's.
func TestReverseProxyExample_PassesFieldsAndCookies(t *testing.T) {
	e := startReverseProxy(t)
	resp, _ := e.send(t, request(t, "GET", e.url("/response-headers?Set-Cookie=a%3D1&Set-Cookie=b%3D2&X-Odd=yes"), ""))
	if got := strings.Join(resp.Header.Values("Set-Cookie"), "|"); got != "a=1|b=2" {
		t.Errorf("Set-Cookie is %q, want two lines", got)
	}
	if got := resp.Header.Get("X-Odd"); got != "yes" {
		t.Errorf("X-Odd is %q, want that of the server", got)
	}
	for i := range 6 {
		at := (i + 1) % 3 // the first request went to the first server
		req := request(t, "GET", e.url("/get"), "")
		want := ""
		if i >= 3 {
			req.Header.Set("X-Upstream", "mine")
			want = "mine"
		}
		if at == 2 {
			want = "upstream03"
		}
		_, a := e.ask(t, req)
		if got := strings.Join(a.Headers.Values("X-Upstream"), "|"); got != want {
			t.Errorf("server %d got X-Upstream %q, want %q", at+1, got, want)
		}
	}
}

// Check 7: errors of the servers are theirs, whole.
func TestReverseProxyExample_PassesErrors(t *testing.T) {
	e := startReverseProxy(t)
	for _, path := range []string{"/status/418", "/status/404", "/status/500", "/basic-auth/user/word", "/no/such/path", "/anything?bad=%zz"} {
		direct, text := e.send(t, request(t, "GET", "http://"+e.addresses[0]+path, ""))
		resp, got := e.send(t, request(t, "GET", e.url(path), ""))
		if resp.StatusCode != direct.StatusCode || direct.StatusCode >= 400 && got != text {
			t.Errorf("%s is answered with %s %q, want %s %q", path, resp.Status, got, direct.Status, text)
		}
		resp.Header.Del("Via")
		for _, h := range []http.Header{resp.Header, direct.Header} {
			h.Del("Date")
		}
		if a, b := fmt.Sprint(resp.Header), fmt.Sprint(direct.Header); direct.StatusCode >= 400 && a != b {
			t.Errorf("%s is answered with the fields %s, want %s", path, a, b)
		}
	}
}

// Checks 8 and 9: a server that is gone costs no request; without any, the error is
// JSON, and its id is like no other.
func TestReverseProxyExample_AnswersWithoutServers(t *testing.T) {
	e := startReverseProxy(t)
	e.servers[1].stop(syscall.SIGKILL)
	for i := range 300 {
		if resp, text := e.send(t, request(t, "GET", e.url("/get"), "")); resp.StatusCode != http.StatusOK {
			t.Fatalf("request %d of 300, with one of three servers gone, is answered with %s %s", i+1, resp.Status, text)
		}
	}
	e.servers[0].stop(syscall.SIGKILL)
	e.servers[2].stop(syscall.SIGKILL)
	last := ""
	for range 10 {
		resp, text := e.send(t, request(t, "GET", e.url("/get"), ""))
		var problem struct {
			Status  int
			Error   string
			EventID string `json:"event_id"`
		}
		err := json.Unmarshal([]byte(text), &problem)
		if err != nil || problem.Status != resp.StatusCode || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("without servers the answer is %s %v %q (%v), want a problem document", resp.Status, resp.Header, text, err)
		}
		switch {
		case problem.Status == http.StatusBadGateway && problem.Error != "":
		case problem.Status == http.StatusServiceUnavailable && problem.Error == "no_endpoint" && resp.Header.Get("Retry-After") != "":
		default:
			t.Errorf("without servers the answer is %s %v, want 502, or 503 no_endpoint with Retry-After", text, resp.Header)
		}
		if problem.EventID <= last {
			t.Errorf("event_id %q comes after %q, want one that is greater", problem.EventID, last)
		}
		last = problem.EventID
	}
}
