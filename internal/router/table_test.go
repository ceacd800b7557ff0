package router

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestNew_Errors(t *testing.T) {
	var many []string
	for i := range 65 {
		many = append(many, fmt.Sprintf("M%d", i))
	}
	for _, tt := range []struct {
		name   string
		routes []Route[string]
		want   string
	}{
		{
			"equal routes are named, both, all at once",
			[]Route[string]{
				{Path: "/api/*", Name: "routes[0] (weir.yaml:4)"},
				{Path: "/{a}/x", Host: "Shop.example.com", Methods: []string{"GET"}, Name: "routes[1] (weir.yaml:6)"},
				{Path: "/api/*", Name: "routes[2] (weir.yaml:8)"},
				{Path: "/{b}/x", Host: "shop.example.com.", Methods: []string{"POST", "GET"}, Name: "routes[3] (weir.yaml:9)"},
				{Path: "/%61pi/*", Name: "routes[4] (weir.yaml:12)"},
			},
			`
routes[0] (weir.yaml:4) and routes[2] (weir.yaml:8) match the same requests: any method, any host, path /api/*
routes[1] (weir.yaml:6) and routes[3] (weir.yaml:9) match the same requests: method GET, host shop.example.com, path /{a}/x (or /{b}/x)
routes[0] (weir.yaml:4) and routes[4] (weir.yaml:12) match the same requests: any method, any host, path /api/* (or /%61pi/*)`,
		},
		{
			"headers in another order and case are the same",
			[]Route[string]{
				{Path: "/", Headers: headers{{"X-A", "1"}, {"X-B", "2"}}},
				{Path: "/", Headers: headers{{"x-b", "2"}, {"x-a", "1"}, {"X-A", "1"}}},
				{Path: "/", Headers: headers{{"X-A", "1"}, {"X-B", "3"}}},
			},
			`
routes[0] and routes[1] match the same requests: any method, any host, path /, headers x-a: "1", x-b: "2"`,
		},
		{
			"equal guards are the same, others are not",
			[]Route[string]{
				{Path: "/", Guard: "a"},
				{Path: "/", Guard: "b"},
				{Path: "/"},
				{Path: "/", Guard: "a"},
			},
			`
routes[0] and routes[3] match the same requests: any method, any host, path /, when "a"`,
		},
		{
			"a route may meet several",
			[]Route[string]{
				{Path: "/", Methods: []string{"GET", "HEAD"}},
				{Path: "/", Methods: []string{"PUT"}},
				{Path: "/", Methods: []string{"PUT", "HEAD", "GET", "PUT"}},
			},
			`
routes[0] and routes[2] match the same requests: method GET, HEAD, any host, path /
routes[1] and routes[2] match the same requests: method PUT, any host, path /`,
		},
		{
			"what cannot be understood is named by field",
			[]Route[string]{
				{Host: "a.test:80", Path: "api", Methods: []string{"get"}, Headers: headers{{"X A", "1"}}},
			},
			`
routes[0]: host "a.test:80": a port takes no part in matching; an IPv6 address stands in brackets
routes[0]: path "api": a path begins with a slash
routes[0]: methods "get": methods are case-sensitive, write GET
routes[0]: headers "X A: \"1\"": not a field name`,
		},
		{
			"methods have a bound",
			[]Route[string]{{Path: "/", Methods: many[:64]}, {Path: "/", Methods: many[64:]}},
			`
routes[1]: methods "M64": "M64" is one too many: all routes together may name 64 different methods`,
		},
		{
			"and so with the HEAD that GET admits",
			[]Route[string]{{Path: "/", Methods: append([]string{"GET"}, many[:63]...)}},
			`
routes[0]: methods "GET": "HEAD" is one too many: all routes together may name 64 different methods`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.routes)
			if err == nil || err.Error() != strings.TrimPrefix(tt.want, "\n") {
				t.Errorf("got\n%v\nwant%s", err, tt.want)
			}
		})
	}
}

func TestNew_ErrorsPointAtRoutes(t *testing.T) {
	_, err := New([]Route[int]{{Path: "/"}, {Path: "x"}, {Path: "/"}})
	var pattern *PatternError
	if !errors.As(err, &pattern) || pattern.Route != 1 || pattern.Field != "path" {
		t.Errorf("%+v", pattern)
	}
	var conflict *ConflictError
	if !errors.As(err, &conflict) || conflict.First != 0 || conflict.Second != 2 {
		t.Errorf("%+v", conflict)
	}
}

func TestNew_WhatIsNotAmbiguous(t *testing.T) {
	for name, routes := range map[string][]Route[int]{
		"GET and HEAD":            {{Path: "/", Methods: []string{"GET"}}, {Path: "/", Methods: []string{"HEAD"}}},
		"GET and all":             {{Path: "/", Methods: []string{"GET"}}, {Path: "/"}},
		"star and end":            {{Path: "/a/*"}, {Path: "/a"}},
		"a final slash":           {{Path: "/a/"}, {Path: "/a"}},
		"capture and literal":     {{Path: "/{a}"}, {Path: "/a"}},
		"capture and its literal": {{Path: "/{a}"}, {Path: "/%7B%7D"}},
		"encoded slash":           {{Path: "/a%2Fb"}, {Path: "/a/b"}},
		"hosts":                   {{Path: "/", Host: "*.a.test"}, {Path: "/", Host: "a.test"}, {Path: "/", Host: "*.test"}},
		"header values":           {{Path: "/", Headers: headers{{"A", "1"}}}, {Path: "/", Headers: headers{{"A", "2"}}}},
		"a value with a comma":    {{Path: "/", Headers: headers{{"A", `1", b: "2`}}}, {Path: "/", Headers: headers{{"A", "1"}, {"B", "2"}}}},
	} {
		if _, err := New(routes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseHost_Refuses(t *testing.T) {
	for host, want := range map[string]string{
		"a.test:80":        "a port takes no part",
		"::1":              "stands in brackets",
		"[::1]:80":         "ends with a bracket",
		"[1.2.3.4]":        "not an IPv6 address",
		"[fe80::1%25eth0]": "not an IPv6 address",
		"a.*.test":         "whole first label",
		"*a.test":          "whole first label",
		"**.test":          "whole first label",
		"*.":               "whole first label",
		"*.*.test":         "whole first label",
		"a..test":          "label is empty",
		".":                "label is empty",
		".a":               "label is empty",
		"ä.test":           "xn--",
		"a/b":              "does not occur",
		"http://a":         "a port takes no part",
		"a b":              "does not occur",

		strings.Repeat("a.", 127) + "b": "longer than 253",
	} {
		if got, err := parseHost(host); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want an error about %q", host, got, err, want)
		}
	}
}

func TestParsePattern_Refuses(t *testing.T) {
	for path, want := range map[string]string{
		"":                             "begins with a slash",
		"a":                            "begins with a slash",
		"*":                            "begins with a slash",
		"/a?b":                         "no query",
		"/a#b":                         "no query",
		"/a*":                          "whole last segment",
		"/*/a":                         "whole last segment",
		"/a/*/":                        "whole last segment",
		"/v{a}":                        "a capture is a whole segment",
		"/{a":                          "a capture is a whole segment",
		"/{}":                          "a capture is a whole segment",
		"/{a.b}":                       "a capture is a whole segment",
		"/{a...}":                      "a capture is a whole segment",
		"/{a}/{b}/{a}":                 "two segments are called {a}",
		"/100%":                        "two hexadecimal digits",
		"/%zz":                         "two hexadecimal digits",
		"/a/../b":                      "dot segment",
		"/a/%2e":                       "dot segment",
		"/" + strings.Repeat("a", 256): "longer than 255",
		strings.Repeat("/a", 65):       "more than 64 segments",
		strings.Repeat("/a", 65) + "/": "more than 64 segments",
	} {
		if _, err := parsePattern(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error about %q", path, err, want)
		}
	}
}

func TestMatch_PatternAtItsBounds(t *testing.T) {
	deep := ""
	for i := range 64 {
		deep += fmt.Sprintf("/{x%d}", i)
	}
	wide := "/" + strings.Repeat("a", 255)
	table := mustNew(t, paths(deep+"/*", wide)...)
	for path, want := range map[string]string{
		strings.Repeat("/a", 63):          "404",
		strings.Repeat("/a", 64):          deep + "/*",
		strings.Repeat("/a", 300):         deep + "/*",
		wide:                              wide,
		"/" + strings.Repeat("%61", 255):  wide,
		"/" + strings.Repeat("%61", 256):  "404",
		wide + "a":                        "404",
		"/%" + strings.Repeat("a", 3*255): "404",
		strings.Repeat("/a", 64) + strings.Repeat("/", 1000): deep + "/*",
	} {
		if got := lookup(table, request{path: path}); got != want {
			t.Errorf("%.40q… of %d bytes: got %s", path, len(path), got)
		}
	}
}

func TestCaptures(t *testing.T) {
	if names, err := Captures("/{service}/x/{version}/*"); err != nil || fmt.Sprint(names) != "[service version]" {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := Captures("/{"); err == nil {
		t.Error("no error")
	}
}
