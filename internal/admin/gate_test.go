package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGate_WithAToken(t *testing.T) {
	options := newOptions()
	options.Token = "s3cret"
	for _, c := range []struct {
		target, authorization string
		status                int
	}{
		{"/v1/services", "", 401},
		{"/v1/services", "Bearer s3cret", 200},
		{"/v1/services", "bearer s3cret", 200},
		{"/v1/services", "Bearer  s3cret", 200},
		{"/v1/services", "Bearer s3cre", 401},
		{"/v1/services", "Bearer s3cret2", 401},
		{"/v1/services", "Bearer ", 401},
		{"/v1/services", "Bearer", 401},
		{"/v1/services", "Basic s3cret", 401},
		{"/v1/services", "s3cret", 401},
		{"/metrics", "", 401},
		{"/metrics", "Bearer s3cret", 200},
		{"/", "", 401},
		{"/nothing", "", 401},
		{"/nothing", "Bearer s3cret", 404},
		{"/healthz", "", 200},
		{"/readyz", "", 200},
	} {
		for _, loopback := range []bool{true, false} {
			options.Loopback = loopback
			response := ask(New(options), "GET", c.target, "Authorization: "+c.authorization, "Host: weir.example.com")
			if response.StatusCode != c.status {
				t.Errorf("%s with %q: status %d, want %d", c.target, c.authorization, response.StatusCode, c.status)
			}
			if challenge := response.Header.Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
				t.Errorf("%s with %q: status %d with challenge %q", c.target, c.authorization, response.StatusCode, challenge)
			}
		}
	}
}

func TestGate_WithoutATokenOffLoopbackNobodyEnters(t *testing.T) {
	options := newOptions()
	options.Loopback = false
	for target, status := range map[string]int{"/": 403, "/v1/services": 403, "/metrics": 403, "/healthz": 200, "/readyz": 200} {
		for _, fields := range [][]string{nil, {"Authorization: Bearer "}} {
			if response := ask(New(options), "GET", target, fields...); response.StatusCode != status {
				t.Errorf("%s %q: status %d, want %d", target, fields, response.StatusCode, status)
			}
		}
	}
}

func TestGate_WithoutATokenHostIsOneThatNobodyElseOwns(t *testing.T) {
	options := newOptions()
	options.Hosts = []string{"admin.example.com", "fd00::5"}
	for host, status := range map[string]int{
		"localhost": 200, "localhost:9900": 200, "LocalHost:1": 200,
		"127.0.0.1": 200, "127.0.0.1:9900": 200, "127.8.9.10:9900": 200,
		"[::1]": 200, "[::1]:9900": 200,
		"admin.example.com": 200, "ADMIN.example.com:9900": 200, "[fd00::5]:9900": 200,
		"": 421, ":9900": 421, "evil.example": 421, "evil.example:9900": 421,
		"localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "x.admin.example.com": 421,
		"10.0.0.1": 421, "0.0.0.0:9900": 421, "[::]:9900": 421, "2130706433": 421, "[localhost": 421, "0x7f.1": 421,
	} {
		if response := ask(New(options), "GET", "/v1/services", "Host: "+host); response.StatusCode != status {
			t.Errorf("Host %q: status %d, want %d", host, response.StatusCode, status)
		}
		if response := ask(New(options), "GET", "/readyz", "Host: "+host); response.StatusCode != 200 {
			t.Errorf("Host %q: /readyz answers %d, want 200", host, response.StatusCode)
		}
	}
}

func TestGate_WithoutATokenOtherSitesAreRefused(t *testing.T) {
	for _, c := range []struct {
		fields []string
		status int
	}{
		{nil, 200},
		{[]string{"Origin: http://localhost:9900"}, 200},
		{[]string{"Origin: https://LOCALHOST:9900"}, 200},
		{[]string{"Origin: http://localhost"}, 403},
		{[]string{"Origin: http://localhost:3000"}, 403},
		{[]string{"Origin: http://127.0.0.1:9900"}, 403},
		{[]string{"Origin: https://evil.example"}, 403},
		{[]string{"Origin: null"}, 403},
		{[]string{"Origin: "}, 403},
		{[]string{"Origin: http://%"}, 403},
		{[]string{"Origin: http://localhost:9900", "Origin: https://evil.example"}, 403},
		{[]string{"Sec-Fetch-Site: same-origin"}, 200},
		{[]string{"Sec-Fetch-Site: none"}, 200},
		{[]string{"Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: http://localhost:9900"}, 403},
	} {
		response := ask(New(newOptions()), "GET", "/v1/services", c.fields...)
		if response.StatusCode != c.status {
			t.Errorf("%q: status %d, want %d", c.fields, response.StatusCode, c.status)
		}
		if c.status == 403 && problemOf(t, response) != "cross_site" {
			t.Errorf("%q: another problem than cross_site", c.fields)
		}
	}
}

func TestRoute_ChangesNeedJSON(t *testing.T) {
	var got []string
	h := table{routes: []route{{"/v1/things/{}/parts/{}", methods{
		"PUT": func(_ http.ResponseWriter, _ *http.Request, args []string) { got = args },
	}}}}
	for media, status := range map[string]int{
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/jsonx": 415, "multipart/form-data": 415,
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200, "application/json; charset": 415,
	} {
		r := httptest.NewRequest("PUT", "/v1/things/a%2fb/parts/c", strings.NewReader("{}"))
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		got = nil
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("Content-Type %q: status %d, want %d", media, w.Code, status)
		}
		if handled := len(got) == 2 && got[0] == "a/b" && got[1] == "c"; handled != (status == 200) {
			t.Errorf("Content-Type %q: handler got %q", media, got)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/v1/things/a/parts/c", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "PUT" {
		t.Errorf("GET: status %d, Allow %q; want 405, PUT", w.Code, w.Header().Get("Allow"))
	}
}
