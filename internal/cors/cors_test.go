package cors

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

func policy(t testing.TB, o Options) *Policy {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fields(lines ...string) (h exchange.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h = append(h, exchange.Field{Name: []byte(name), Value: []byte(value)})
	}
	return h
}

func request(method string, lines ...string) *exchange.Exchange {
	x := new(exchange.Exchange)
	x.Request.MethodName = []byte(method)
	x.Request.Method = exchange.ParseMethod(x.Request.MethodName)
	x.Request.Header = fields(lines...)
	return x
}

// preflight is what a browser asks before a PUT from that origin.
func preflight(origin string) *exchange.Exchange {
	return request("OPTIONS", "Origin: "+origin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: content-type,x-token")
}

// sent returns the fields that a client sees, but for Date.
func sent(resp *exchange.Response) (list []string) {
	for _, f := range resp.Header {
		if !f.Skip && f.ID != exchange.FieldDate {
			list = append(list, string(f.Name)+": "+string(f.Value))
		}
	}
	return list
}

func wantSent(t *testing.T, what string, resp *exchange.Response, want ...string) {
	t.Helper()
	if got := sent(resp); !slices.Equal(got, want) {
		t.Errorf("%s: the client sees\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

var usual = Options{
	Origins: []string{"https://app.example.com", "https://*.example.org", "null"},
	Methods: []string{"GET", "PUT"}, Headers: []string{"Content-Type", "X-Token"}, Expose: []string{"X-Total", "ETag"},
	Credentials: true, MaxAge: 10 * time.Minute,
}

func TestPolicy_AnswersPreflights(t *testing.T) {
	p := policy(t, usual)
	resp := p.Preflight(preflight("https://app.example.com"))
	if resp == nil || resp.Status != 204 || resp.Body != nil {
		t.Fatalf("a preflight is answered with %+v, want 204", resp)
	}
	wantSent(t, "a preflight", resp,
		"Vary: Origin",
		"Access-Control-Allow-Origin: https://app.example.com",
		"Access-Control-Allow-Credentials: true",
		"Access-Control-Allow-Methods: GET, PUT",
		"Access-Control-Allow-Headers: Content-Type, X-Token",
		"Access-Control-Max-Age: 600")
	if date, ok := resp.Header.Get(exchange.FieldDate); !ok || !strings.HasSuffix(string(date), " GMT") {
		t.Errorf("the answer has Date %q", date)
	}
	wantSent(t, "a preflight of a stranger", p.Preflight(preflight("https://evil.example")), "Vary: Origin")
}

func TestPolicy_AnswersPreflightsOfEverybody(t *testing.T) {
	p := policy(t, Options{Origins: []string{"*"}})
	wantSent(t, "nothing but origins", p.Preflight(preflight("https://any.example")),
		"Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET, HEAD, POST")
	p = policy(t, Options{Origins: []string{"*"}, Methods: []string{"*"}, Headers: []string{"*", "Authorization"}})
	wantSent(t, "all stars", p.Preflight(preflight("https://any.example")),
		"Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: *", "Access-Control-Allow-Headers: *, Authorization")
}

// With credentials a browser takes "*" for a method or a field of that name.
func TestPolicy_SpellsStarsOutWithCredentials(t *testing.T) {
	p := policy(t, Options{Origins: []string{"https://a.example"}, Methods: []string{"*"}, Headers: []string{"*"}, Credentials: true})
	wantSent(t, "a preflight with credentials", p.Preflight(preflight("https://a.example")),
		"Vary: Origin",
		"Access-Control-Allow-Origin: https://a.example",
		"Access-Control-Allow-Credentials: true",
		"Access-Control-Allow-Methods: PUT",
		"Vary: Access-Control-Request-Method",
		"Access-Control-Allow-Headers: content-type,x-token",
		"Vary: Access-Control-Request-Headers")
	asksNothing := request("OPTIONS", "Origin: https://a.example", "Access-Control-Request-Method: PUT")
	for _, line := range sent(p.Preflight(asksNothing)) {
		if strings.HasPrefix(line, "Access-Control-Allow-Headers") {
			t.Errorf("who asks for no field is told %q", line)
		}
	}
}

func TestPolicy_LetsWhatIsNoPreflightPass(t *testing.T) {
	p := policy(t, usual)
	for what, x := range map[string]*exchange.Exchange{
		"a GET":                         request("GET", "Origin: https://app.example.com", "Access-Control-Request-Method: PUT"),
		"OPTIONS without origin":        request("OPTIONS", "Access-Control-Request-Method: PUT"),
		"OPTIONS that asks for nothing": request("OPTIONS", "Origin: https://app.example.com"),
	} {
		if p.Preflight(x) != nil {
			t.Errorf("%s is taken for a preflight", what)
		}
	}
}

func TestPolicy_ReplacesWhatEndpointsSay(t *testing.T) {
	p := policy(t, usual)
	theirs := []string{
		"Content-Type: text/plain", "access-control-allow-origin: *", "Access-Control-Allow-Credentials: true", "Vary: Accept",
		"Access-Control-Expose-Headers: X-Secret", "ACCESS-CONTROL-ALLOW-METHODS: DELETE", "Access-Control-Allow-Headers: x", "Access-Control-Max-Age: 1",
	}
	for _, tc := range []struct {
		origin string
		want   []string
	}{
		{"Origin: https://app.example.com", []string{"Vary: Origin", "Access-Control-Allow-Origin: https://app.example.com", "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: X-Total, ETag"}},
		{"origin: https://a.b.example.org", []string{"Vary: Origin", "Access-Control-Allow-Origin: https://a.b.example.org", "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: X-Total, ETag"}},
		{"Origin: null", []string{"Vary: Origin", "Access-Control-Allow-Origin: null", "Access-Control-Expose-Headers: X-Total, ETag"}},
		{"Origin: https://evil.example", []string{"Vary: Origin"}},
		{"Accept: */*", []string{"Vary: Origin"}},
	} {
		resp := &exchange.Response{Status: 200, Header: fields(theirs...)}
		p.OnResponse(request("GET", tc.origin), resp)
		wantSent(t, tc.origin, resp, append([]string{"Content-Type: text/plain", "Vary: Accept"}, tc.want...)...)
	}
}

func TestPolicy_OfEverybodyNeverDependsOnTheOrigin(t *testing.T) {
	p := policy(t, Options{Origins: []string{"*"}, Expose: []string{"*"}})
	for _, line := range []string{"Origin: https://a.example", "Origin: null", "Accept: */*"} {
		resp := &exchange.Response{Status: 200}
		p.OnResponse(request("GET", line), resp)
		wantSent(t, line, resp, "Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: *")
	}
}

func TestPolicy_LeavesTunnelsAlone(t *testing.T) {
	resp := &exchange.Response{Status: 101, Header: fields("Upgrade: websocket")}
	policy(t, usual).OnResponse(request("GET", "Origin: https://app.example.com"), resp)
	wantSent(t, "a tunnel", resp, "Upgrade: websocket")
}

func TestOrigin_MatchesWhatItSays(t *testing.T) {
	for _, tc := range []struct {
		origin   string
		matching string
		others   string
	}{
		{"https://a.example", "https://a.example", "http://a.example https://a.example:8443 https://A.example https://a.example.evil.com https://xa.example null"},
		{"HTTPS://A.Example:443", "https://a.example", "https://a.example:443"},
		{"http://localhost:3000", "http://localhost:3000", "http://localhost http://localhost:30001"},
		{"http://[::1]:8080", "http://[::1]:8080", "http://[::1]"},
		{"https://*.example.com", "https://a.example.com https://a.b-c.example.com", "https://example.com https://.example.com https://aexample.com https://a.example.com:8443 http://a.example.com https://evil.com/.example.com https://evil.com?.example.com https://evil.com#.example.com https://u@x.example.com https://evil.com:1.example.com https://a.example.com.evil.com"},
		{"https://*.example.com:8443", "https://a.example.com:8443", "https://a.example.com"},
		{"null", "null", "https://null NULL"},
		{"chrome-extension://abcdef", "chrome-extension://abcdef", "chrome-extension://abcde"},
	} {
		o, err := parseOrigin(tc.origin)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range strings.Fields(tc.matching) {
			if !o.matches([]byte(value)) {
				t.Errorf("origin %s does not match %s", tc.origin, value)
			}
		}
		for _, value := range strings.Fields(tc.others) {
			if o.matches([]byte(value)) {
				t.Errorf("origin %s matches %s", tc.origin, value)
			}
		}
	}
}

func TestNew_RefusesWhatBrowsersWouldNotUnderstand(t *testing.T) {
	for _, o := range []Options{
		{},
		{Origins: []string{"*"}, Credentials: true},
		{Origins: []string{"*", "https://a.example"}},
		{Origins: []string{"https://a.example"}, Expose: []string{"*"}, Credentials: true},
		{Origins: []string{"a.example"}},
		{Origins: []string{"https://"}},
		{Origins: []string{"https://a.example/"}},
		{Origins: []string{"https://u@a.example"}},
		{Origins: []string{"https://*"}},
		{Origins: []string{"https://*example.com"}},
		{Origins: []string{"https://a.*.example.com"}},
		{Origins: []string{"https://*.:8080"}},
		{Origins: []string{"https://bücher.example"}},
		{Origins: []string{"*.example.com"}},
		{Origins: []string{"https://a.example"}, Methods: []string{"GET, PUT"}},
		{Origins: []string{"https://a.example"}, Headers: []string{""}},
		{Origins: []string{"https://a.example"}, Expose: []string{"X-A\r\nX-B: 1"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken for a policy", o)
		}
	}
}

func TestPolicy_AllocatesNothingOnTheWay(t *testing.T) {
	p := policy(t, usual)
	for _, line := range []string{"Accept: */*", "Origin: https://a.example.org", "Origin: https://evil.example"} {
		x := request("GET", line)
		resp := &exchange.Response{Status: 200, Header: make(exchange.Header, 0, 16)}
		again := func() {
			if p.Preflight(x) != nil {
				t.Error("a GET is taken for a preflight")
			}
			resp.Header = resp.Header[:0]
			p.OnResponse(x, resp)
		}
		if n := testing.AllocsPerRun(100, again); n != 0 {
			t.Errorf("a request with %q costs %v allocations, want none", line, n)
		}
	}
}

// FuzzOrigin_NeverMatchesAnotherHost has what a browser would take for another
// host never be let in.
func FuzzOrigin_NeverMatchesAnotherHost(f *testing.F) {
	for _, seed := range []string{"https://a.example.com", "https://evil.com#.example.com", "null", "https://.example.com"} {
		f.Add(seed)
	}
	o, err := parseOrigin("https://*.example.com")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !o.matches([]byte(value)) {
			return
		}
		host, ok := strings.CutPrefix(value, "https://")
		if !ok || !strings.HasSuffix(host, ".example.com") || strings.ContainsAny(host, "/?#@:\\ \t\r\n,") {
			t.Errorf("%q is let in as one of https://*.example.com", value)
		}
	})
}
