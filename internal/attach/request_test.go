package attach

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestUpgrade_IsAnsweredAndAnnounced(t *testing.T) {
	room := newRoom(t, "127.0.0.1", Options{Routers: func() []string {
		return []string{"r1:7000", "bad\r\nX: y", "https://r2"}
	}}, anonymous)
	c := room.dial(t)
	a := ask(t, c, request("Weir-Service: shop", "Weir-Version: v2", "Weir-Instance: i-1", "Weir-Weight: 5", "Weir-Zone: eu-1", "Weir-Labels: gpu=a100"))
	if a.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the answer is %d (%s), not 101", a.StatusCode, a.problem.Detail)
	}
	for name, want := range map[string]string{"Connection": "upgrade", "Upgrade": "ptth", "ALPN": "h2", "Weir-Routers": "r1:7000, https://r2"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s of the 101 is %q, not %q", name, got, want)
		}
	}
	got := (<-room.announced).Identity
	want := Identity{
		Service: "shop", Version: "v2", Instance: "i-1", Weight: 5, Zone: "eu-1", Labels: map[string]string{"gpu": "a100"},
		Credential: "anonymous", Scope: "anonymous",
	}
	got.proof = proof{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the worker was announced as %+v, not as %+v", got, want)
	}
}

func TestUpgrade_HasDefaults(t *testing.T) {
	room := newRoom(t, "::1", Options{}, anonymous)
	ask(t, room.dial(t), request())
	id := (<-room.announced).Identity
	if id.Service != "default" || id.Weight != 1 || id.Instance != "--1-40000" {
		t.Errorf("a worker that says nothing of itself is service %q, weight %d, instance %q", id.Service, id.Weight, id.Instance)
	}
}

func TestUpgrade_RefusesAndSaysWhatIsWrong(t *testing.T) {
	get := func(start string, fields ...string) string {
		return start + "\r\nHost: r\r\n" + strings.Join(append(fields, "", ""), "\r\n")
	}
	start := "GET " + Path + " HTTP/1.1"
	const connection, upgrade, alpn = "Connection: upgrade", "Upgrade: ptth", "ALPN: h2"
	room := newRoom(t, "127.0.0.1", Options{}, anonymous)
	for _, c := range []struct {
		what, text string
		status     int
		code       string
		detail     string // part of it
	}{
		{"another path", get("GET /x HTTP/1.1"), 404, "no_route", Path},
		{"an encoded path", get("GET /.well-known/weir/%61ttach HTTP/1.1", connection, upgrade, alpn), 404, "no_route", Path},
		{"another method", get("POST "+Path+" HTTP/1.1", connection, upgrade, alpn), 405, "method_not_allowed", "GET"},
		{"HTTP/1.0", get("GET "+Path+" HTTP/1.0", connection, upgrade, alpn), 400, "bad_attach", "HTTP/1.0"},
		{"a query", get("GET "+Path+"?a HTTP/1.1", connection, upgrade, alpn), 400, "bad_attach", "query"},
		{"no Connection", get(start, upgrade, alpn), 400, "bad_attach", "Connection"},
		{"no Upgrade", get(start, connection, alpn), 400, "bad_attach", "Upgrade is not"},
		{"another Upgrade", get(start, connection, "Upgrade: websocket", alpn), 400, "bad_attach", "Upgrade is not"},
		{"two Upgrades", get(start, connection, upgrade, upgrade, alpn), 400, "bad_attach", "Upgrade is repeated"},
		{"no ALPN", get(start, connection, upgrade), 400, "bad_attach", "ALPN"},
		{"another ALPN", get(start, connection, upgrade, "ALPN: h3"), 400, "bad_attach", "ALPN does not list h2"},
		{"two ALPNs", get(start, connection, upgrade, alpn, "ALPN: h3"), 400, "bad_attach", "ALPN is repeated"},
		{"content", request("Content-Length: 3") + "abc", 400, "bad_attach", "content"},
		{"chunked content", request("Transfer-Encoding: chunked") + "0\r\n\r\n", 400, "bad_attach", "content"},
		{"bytes ahead of the answer", request() + preface, 400, "bad_attach", "bytes follow"},
		{"two Authorizations", request("Authorization: Bearer a", "Authorization: Bearer b"), 400, "bad_attach", "Authorization is repeated"},
		{"an Authorization that Connection names", request("Connection: authorization", "Authorization: Bearer a"), 400, "bad_attach", "Authorization is named by Connection"},
		{"another scheme", request("Authorization: Basic YTpi"), 401, "unauthorized", "Bearer"},
		{"two services", request("Weir-Service: a", "Weir-Service: b"), 400, "bad_attach", "Weir-Service is repeated"},
		{"an empty service", request("Weir-Service:"), 400, "bad_attach", "Weir-Service is empty"},
		{"a version in the service", request("Weir-Service: a@b"), 400, "bad_attach", "Weir-Service has other"},
		{"a path as service", request("Weir-Service: ../a"), 400, "bad_attach", "Weir-Service has other"},
		{"nothing but dots", request("Weir-Version: .."), 400, "bad_attach", "Weir-Version is nothing but dots"},
		{"a long instance", request("Weir-Instance: " + strings.Repeat("x", 129)), 400, "bad_attach", "Weir-Instance has more"},
		{"a line of a log as instance", request(`Weir-Instance: x" level=ERROR`), 400, "bad_attach", "Weir-Instance has other"},
		{"an escape sequence as zone", request("Weir-Zone: \u009b31m"), 400, "bad_attach", "Weir-Zone has other"},
		{"weight 0", request("Weir-Weight: 0"), 400, "bad_attach", "Weir-Weight is not a number"},
		{"weight 1001", request("Weir-Weight: 1001"), 400, "bad_attach", "Weir-Weight is not a number"},
		{"weight +1", request("Weir-Weight: +1"), 400, "bad_attach", "Weir-Weight is not a number"},
		{"a weight that overflows", request("Weir-Weight: 99999999999999999999"), 400, "bad_attach", "Weir-Weight is not a number"},
		{"bad labels", request("Weir-Labels: a=1,b"), 400, "bad_attach", "Weir-Labels is not name=value, in label 2"},
		{"a folded line", request("Weir-Zone: a", " b"), 400, "malformed_request", "folded"},
		{"a NUL", request("Weir-Zone: a\x00b"), 400, "malformed_request", "control"},
		{"a bare line feed", request("Weir-Zone: a\nWeir-Service: b"), 400, "malformed_request", "bare line feed"},
		{"space before a colon", request("Weir-Service : b"), 400, "malformed_request", "white space"},
		{"two lengths", request("Content-Length: 0", "Transfer-Encoding: chunked"), 400, "malformed_request", "Content-Length"},
		{"the preface of HTTP/2", preface, 400, "malformed_request", "HTTP/2"},
		{"a TLS handshake", "\x16\x03\x01\x02\x00", 400, "malformed_request", "TLS"},
		{"a huge head", request("X: " + strings.Repeat("x", 17<<10)), 431, "header_too_large", "16 KiB"},
		{"a huge line", "GET /" + strings.Repeat("x", 17<<10), 414, "uri_too_long", "16 KiB"},
		{"many fields", request(strings.Repeat("X: y\r\n", 70) + "X: y"), 431, "header_too_large", "64 fields"},
	} {
		t.Run(c.what, func(t *testing.T) {
			a := ask(t, room.dial(t), c.text)
			if a.StatusCode != c.status || a.problem.Error != c.code || !strings.Contains(a.problem.Detail, c.detail) {
				t.Errorf("the answer is %d %s (%s), not %d %s with %q", a.StatusCode, a.problem.Error, a.problem.Detail, c.status, c.code, c.detail)
			}
			if media := a.Header.Get("Content-Type"); media != "application/problem+json" || a.problem.EventID == "" || a.problem.Status != c.status {
				t.Errorf("the document is of type %q, status %d, event %q", media, a.problem.Status, a.problem.EventID)
			}
		})
	}
	if n := len(room.announced); n > 0 {
		t.Errorf("%d workers were announced of all these", n)
	}
}

func TestUpgrade_TakesListsAndAnyCase(t *testing.T) {
	room := newRoom(t, "127.0.0.1", Options{}, anonymous)
	text := "GET " + Path + " HTTP/1.1\r\nHost: r\r\nconnection: keep-alive, Upgrade\r\nupgrade: PTTH\r\nalpn: http%2F1.1, h2\r\nContent-Length: 0\r\n\r\n"
	if a := ask(t, room.dial(t), text); a.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("the answer is %d (%s), not 101", a.StatusCode, a.problem.Detail)
	}
	<-room.announced
}

func TestUpgrade_AsksForATokenOffThisMachine(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, anonymous)
	a := ask(t, room.dial(t), request())
	if a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("somebody from elsewhere got %d with WWW-Authenticate %q, not 401 with Bearer", a.StatusCode, a.Header.Get("WWW-Authenticate"))
	}
}

func TestUpgrade_KeepsServicesOfOthersApart(t *testing.T) {
	room := newRoom(t, "192.0.2.1", Options{}, Rules{Tokens: []Token{{"alpha", []string{"web"}}, {"beta", []string{"shop@*"}}}})
	for _, c := range []struct {
		token, service string
		status         int
	}{{"alpha", "web", 101}, {"alpha", "shop", 403}, {"beta", "shop", 101}, {"beta", "web", 403}, {"gamma", "web", 401}} {
		a := ask(t, room.dial(t), request("Authorization: bearer "+c.token, "Weir-Service: "+c.service))
		if a.StatusCode != c.status {
			t.Errorf("token %s and service %s got %d, not %d", c.token, c.service, a.StatusCode, c.status)
		}
		if a.StatusCode == 403 && a.problem.Error != CodeServiceForbidden {
			t.Errorf("the 403 has the code %q", a.problem.Error)
		}
		if text := fmt.Sprint(a.problem); strings.Contains(text, c.token) {
			t.Errorf("the answer has the token in it: %s", text)
		}
	}
}

func TestUpgrade_IsRefusedByWhoeverElseHasASay(t *testing.T) {
	draining := false
	room := newRoom(t, "127.0.0.1", Options{
		Admit:    func(id Identity) *Refusal { return InstanceConflict("instance " + id.Instance + " is somebody else's") },
		Draining: func() bool { return draining },
	}, anonymous)
	if a := ask(t, room.dial(t), request("Weir-Instance: i")); a.StatusCode != 409 || a.problem.Error != CodeInstanceConflict {
		t.Errorf("an instance that is taken got %d %s", a.StatusCode, a.problem.Error)
	}
	draining = true
	if a := ask(t, room.dial(t), request()); a.StatusCode != 503 || a.problem.Error != CodeDraining || a.Header.Get("Retry-After") == "" {
		t.Errorf("a router that drains answered %d %s, Retry-After %q", a.StatusCode, a.problem.Error, a.Header.Get("Retry-After"))
	}
}
