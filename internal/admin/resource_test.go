package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func newAPI(g *registry) http.Handler { return New(Options{Loopback: true, Endpoints: g}) }

func TestEndpoints_ArePutLookedAtReplacedAndRemoved(t *testing.T) {
	for full, base := range map[string]string{
		"web":     "/v1/services/web/endpoints",
		"shop@v1": "/v1/services/shop@v1/endpoints",
		"shop@v2": "/v1/services/shop/versions/v2/endpoints",
		"new":     "/v1/services/new/endpoints",
	} {
		g := newRegistry()
		h := newAPI(g)
		before := g.names(full)
		at := base + "/c%2Fd"
		created := tell(h, "PUT", at, `{"url":"http://c:80","zone":"eu","labels":{"disk":"ssd"}}`).
			wants(t, "PUT "+at, 201, `"weight": 1`).wants(t, "PUT "+at, 201, `"source": "api"`)
		if l, c := created.header.Get("Location"), created.header.Get("Content-Location"); l != at || c != at {
			t.Errorf("PUT %s: Location is %q and Content-Location %q", at, l, c)
		}
		seen := tell(h, "GET", at, "").wants(t, "GET "+at, 200, `"url": "http://c:80"`)
		if seen.header.Get("ETag") != created.header.Get("ETag") || seen.body != created.body {
			t.Errorf("GET after PUT %s answers otherwise than that:\n%v\n%v", at, created, seen)
		}
		replaced := tell(h, "PUT", at, `{"name":"c/d","url":"http://c:81","weight":7}`).wants(t, "PUT "+at, 200, `"weight": 7`)
		if replaced.header.Get("ETag") == seen.header.Get("ETag") || replaced.header.Get("Location") != "" {
			t.Errorf("replaced, %s has ETag %s as before, or a Location", at, seen.header.Get("ETag"))
		}
		tell(h, "GET", base, "").wants(t, "GET "+base, 200, `"c/d"`)
		gone := tell(h, "DELETE", at, "").wants(t, "DELETE "+at, 204, "")
		if gone.body != "" || strings.TrimSpace(g.names(full)) != before {
			t.Errorf("removed: %q, and there are %q", gone.body, g.names(full))
		}
		tell(h, "GET", at, "").wants(t, "GET "+at, 404, "unknown_endpoint")
		tell(h, "DELETE", at, "").wants(t, "DELETE "+at, 404, "unknown_endpoint")
	}
}

func TestEndpoints_AreDrainedInBothSpellings(t *testing.T) {
	g := newRegistry()
	h := newAPI(g)
	for _, tc := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"POST", "/v1/services/web/endpoints/http:%2F%2Fb%2Fx/drain", 200, `"draining": true`},
		{"DELETE", "/v1/services/web/endpoints/http:%2F%2Fb%2Fx/drain", 200, `"draining": false`},
		{"POST", "/v1/services/shop/versions/v1/endpoints/s/drain", 200, `"service": "shop@v1"`},
		{"DELETE", "/v1/services/shop@v1/endpoints/s/drain", 200, `"draining": false`},
		{"POST", "/v1/services/web/endpoints/z/drain", 404, "unknown_endpoint"},
		{"POST", "/v1/services/shop/endpoints/s/drain", 404, "unknown_endpoint"},
		{"GET", "/v1/services/web/endpoints/a/drain", 405, "method_not_allowed"},
	} {
		tell(h, tc.method, tc.path, "").wants(t, tc.method+" "+tc.path, tc.status, tc.says)
	}
	tell(h, "POST", "/v1/services/web/endpoints/a/drain", "")
	tell(h, "PUT", "/v1/services/web/endpoints/a", `{"url":"http://a:2"}`).wants(t, "a PUT while it drains", 200, `"draining": true`)
}

func TestEndpoints_UnknownServices(t *testing.T) {
	h := newAPI(newRegistry())
	for _, path := range []string{
		"/v1/services/api/endpoints", "/v1/services/shop/endpoints", "/v1/services/shop/versions/v3/endpoints/s",
		"/v1/services/shop@v1/versions/v1/endpoints",
	} {
		tell(h, "GET", path, "").wants(t, "GET "+path, 404, "unknown_service")
	}
	tell(h, "GET", "/v1/services/web/endpoints/z", "").wants(t, "an endpoint that there is not", 404, "unknown_endpoint")
	tell(h, "DELETE", "/v1/services/api/endpoints/a", "").wants(t, "removing from no service", 404, "unknown_endpoint")
}

func TestEndpoints_SecretsAreNotShownAndNotTakenForThemselves(t *testing.T) {
	g := newRegistry()
	h := newAPI(g)
	for _, path := range []string{"/v1/services/web/endpoints", "/v1/services/web/endpoints/a"} {
		seen := tell(h, "GET", path, "").wants(t, "GET "+path, 200, `"X-Api-Key": "xxxxx"`).wants(t, "GET "+path, 200, `"X-Team": "blue"`)
		if strings.Contains(seen.body, "s3cret") {
			t.Errorf("GET %s shows a secret: %s", path, seen.body)
		}
	}
	seen := tell(h, "GET", "/v1/services/web/endpoints/a", "")
	tell(h, "PUT", "/v1/services/web/endpoints/a", seen.body).wants(t, "what is hidden, sent back", 422, `headers.\"X-Api-Key\"`)
	if g.services["web"][0].Headers["X-Api-Key"] != "s3cret" {
		t.Error("the secret was replaced by what hides it")
	}
	before := seen.header.Get("ETag")
	g.services["web"][0].Headers = map[string]string{"X-Api-Key": "other", "X-Team": "blue"}
	if after := tell(h, "GET", "/v1/services/web/endpoints/a", "").header.Get("ETag"); after == before {
		t.Error("another secret has the same tag")
	}
	for name, secret := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "Cookie": true, "X-Auth-Token": true, "apikey": true,
		"X-Secret": true, "X-Password": true, "X-Team": false, "Accept": false,
	} {
		if looksSecret(name) != secret {
			t.Errorf("%s looks secret: %t", name, !secret)
		}
	}
}

func TestEndpoints_WhatCameFromAGetIsAcceptedBack(t *testing.T) {
	for _, path := range []string{"/v1/services/web/endpoints/http:%2F%2Fb%2Fx", "/v1/services/shop/versions/v1/endpoints/s"} {
		h := newAPI(newRegistry())
		tell(h, "PUT", path, tell(h, "GET", path, "").body).wants(t, "PUT "+path, 200, `"source": "api"`)
	}
}

func TestEndpoints_ConditionsAreHonoured(t *testing.T) {
	const a, z, drain = "/v1/services/web/endpoints/a", "/v1/services/web/endpoints/z", "/v1/services/web/endpoints/a/drain"
	const body = `{"url":"http://a:9"}`
	tag := func(h http.Handler) string { return tell(h, "GET", a, "").header.Get("ETag") }
	for _, tc := range []struct {
		method, path, field string // T stands for the present tag
		status              int
		says                string
	}{
		{"PUT", a, "If-Match: T", 200, ""},
		{"PUT", a, `If-Match: "x", T`, 200, ""},
		{"PUT", a, `If-Match: *`, 200, ""},
		{"PUT", a, `If-Match: "x"`, 412, "precondition_failed"},
		{"PUT", a, "If-Match: W/T", 412, "precondition_failed"},
		{"PUT", z, "If-Match: *", 412, "precondition_failed"},
		{"PUT", z, `If-Match: "x"`, 412, "precondition_failed"},
		{"PUT", z, "If-None-Match: *", 201, ""},
		{"PUT", a, "If-None-Match: *", 412, "precondition_failed"},
		{"PUT", a, "If-None-Match: T", 412, "precondition_failed"},
		{"PUT", a, "If-None-Match: W/T", 412, "precondition_failed"},
		{"PUT", a, `If-None-Match: "x"`, 200, ""},
		{"PUT", a, "If-Match: x", 400, "bad_condition"},
		{"PUT", a, `If-Match: "x" "y"`, 400, "bad_condition"},
		{"PUT", a, `If-Match: "x`, 400, "bad_condition"},
		{"PUT", a, `If-Match: ""`, 412, "precondition_failed"},
		{"PUT", a, "If-Match: ,", 400, "bad_condition"},
		{"PUT", a, "If-None-Match: **", 400, "bad_condition"},
		{"DELETE", a, "If-Match: T", 204, ""},
		{"DELETE", a, `If-Match: "x"`, 412, "precondition_failed"},
		{"DELETE", z, `If-Match: "x"`, 404, "unknown_endpoint"},
		{"POST", drain, "If-Match: T", 200, ""},
		{"POST", drain, `If-Match: "x"`, 412, "precondition_failed"},
		{"DELETE", drain, `If-Match: "x"`, 412, "precondition_failed"},
		{"GET", a, "If-None-Match: T", 304, ""},
		{"GET", a, `If-None-Match: "x"`, 200, ""},
		{"GET", a, `If-Match: "x"`, 412, "precondition_failed"},
		{"GET", a, `If-Match: x`, 400, "bad_condition"},
	} {
		g := newRegistry()
		h := newAPI(g)
		before := g.snapshot()
		field := strings.Replace(tc.field, "T", tag(h), 1)
		tell(h, tc.method, tc.path, body, field).wants(t, tc.method+" "+tc.path+" with "+tc.field, tc.status, tc.says)
		if tc.status >= 400 && !reflect.DeepEqual(g.services, before) {
			t.Errorf("%s %s with %s was refused, and has changed something", tc.method, tc.path, tc.field)
		}
	}
}

func TestEndpoints_TheTagFollowsEveryChange(t *testing.T) {
	h := newAPI(newRegistry())
	const all, a = "/v1/services/web/endpoints", "/v1/services/web/endpoints/a"
	seen := map[string]string{}
	look := func(after string) {
		for _, path := range []string{all, a} {
			tag := tell(h, "GET", path, "").header.Get("ETag")
			if !strings.HasPrefix(tag, `"`) {
				t.Errorf("after %s the tag of %s is %s, and not a strong one", after, path, tag)
			}
			if other, known := seen[path+tag]; known {
				t.Errorf("the tag of %s after %s is that after %s", path, after, other)
			}
			seen[path+tag] = after
		}
	}
	look("nothing")
	drained := tell(h, "POST", a+"/drain", "").header.Get("ETag")
	look("a drain")
	if drained != tell(h, "GET", a, "").header.Get("ETag") {
		t.Error("draining is answered with another tag than GET has after that")
	}
	tell(h, "PUT", a, `{"url":"http://a:2"}`)
	look("a PUT")
	tell(h, "PUT", a, `{"url":"http://a:2","weight":2}`)
	look("another weight")
}

func TestEndpoints_OfManyWhoChangeTheSameOneWins(t *testing.T) {
	h := newAPI(newRegistry())
	const a = "/v1/services/web/endpoints/a"
	tag := tell(h, "GET", a, "").header.Get("ETag")
	var wins, losses int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			got := tell(h, "PUT", a, fmt.Sprintf(`{"url":"http://a:%d"}`, 1000+i), "If-Match: "+tag)
			mu.Lock()
			defer mu.Unlock()
			switch got.status {
			case 200:
				wins++
			case 412:
				losses++
			}
		})
	}
	all.Wait()
	if wins != 1 || losses != 15 {
		t.Errorf("of 16 who changed what they had seen, %d won and %d were told that it is not so any more", wins, losses)
	}
}

func TestEndpoints_RefusalsAndFailuresOfThoseBehind(t *testing.T) {
	const a = "/v1/services/web/endpoints/a"
	for _, tc := range []struct {
		err    error
		status int
		says   string
	}{
		{&Refusal{422, "own_listener", "it is :8080"}, 422, "own_listener"},
		{fmt.Errorf("wrapped: %w", &Refusal{409, "worker", "drain it"}), 409, "drain it"},
		{&Refusal{503, "too_many_services", "1000"}, 503, "too_many_services"},
		{errors.New("disk of 10.0.0.1"), 500, `"internal"`},
	} {
		g := newRegistry()
		g.refuse = tc.err
		got := tell(newAPI(g), "PUT", a, `{"url":"http://a:1"}`).wants(t, "PUT", tc.status, tc.says)
		if strings.Contains(got.body, "10.0.0.1") {
			t.Errorf("a failure is told to everybody: %s", got.body)
		}
		tell(newAPI(g), "DELETE", a, "").wants(t, "DELETE", tc.status, tc.says)
		tell(newAPI(g), "POST", a+"/drain", "").wants(t, "drain", tc.status, tc.says)
	}
	g := newRegistry()
	g.refuse = errors.New("disk of 10.0.0.1")
	h := New(Options{Loopback: true, Endpoints: g, Verbose: true})
	tell(h, "DELETE", a, "").wants(t, "a failure, with errors: verbose", 500, "disk of 10.0.0.1")
}

func TestEndpoints_PassTheGateAsEverythingDoes(t *testing.T) {
	requests := []struct{ method, path string }{
		{"PUT", "/v1/services/web/endpoints/a"},
		{"PUT", "/v1/services/shop/versions/v1/endpoints/s"},
		{"DELETE", "/v1/services/web/endpoints/a"},
		{"POST", "/v1/services/web/endpoints/a/drain"},
		{"DELETE", "/v1/services/shop/versions/v1/endpoints/s/drain"},
		{"POST", "/v1/reload"},
	}
	for _, tc := range []struct {
		token, field string
		status       int
		says         string
	}{
		{"", "Origin: https://evil.example", 403, "cross_site"},
		{"", "Sec-Fetch-Site: cross-site", 403, "cross_site"},
		{"", "Content-Type: text/plain", 415, "json_required"},
		{"", "Content-Type: application/x-www-form-urlencoded", 415, "json_required"},
		{"t", "Authorization: Bearer wrong", 401, "unauthorized"},
		{"t", "X-Nothing: sent", 401, "unauthorized"},
	} {
		for _, r := range requests {
			g := newRegistry()
			before := g.snapshot()
			reload := func(context.Context) ([]string, error) { t.Error("it was reloaded"); return nil, nil }
			h := New(Options{Loopback: true, Token: tc.token, Endpoints: g, Reload: reload})
			what := r.method + " " + r.path + " with " + tc.field
			tell(h, r.method, r.path, `{"url":"http://a:1"}`, tc.field).wants(t, what, tc.status, tc.says)
			if !reflect.DeepEqual(before, g.services) {
				t.Errorf("%s has changed something", what)
			}
		}
	}
	off := New(Options{Endpoints: newRegistry()})
	tell(off, "PUT", requests[0].path, `{"url":"http://a:1"}`).wants(t, "off loopback, without a token", 403, "token_required")
}
