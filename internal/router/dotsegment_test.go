package router

import (
	"strings"
	"testing"
)

func TestCheckPath(t *testing.T) {
	for _, path := range []string{
		"/.", "/..", "/a/./b", "/a/../b", "/a/..", "/a/.", "..", ".", "/..//", "//../a",
		"/%2e", "/%2E/", "/%2e%2e/", "/.%2E/a", "/a/%2E.", "/a/%2e%2E/b",
		"/..;/a", "/..;v=1/a", "/.;x", "/..;", "/%2e%2e;x/", "/..%3B/", "/a;b/..;/",
		`/..\a`, `/a\..\b`, `/a\..`, `/.\`, "/..%5Ca", "/a%5c..%5cb", `\..\a`,
		"/..%2Fadmin", "/a%2F../b", "/a%2f%2e%2e%2fb", "/..%2f",
		"/a%/..", "/%zz/..", "/%2/.", "/a.b/%2e%2e",
		strings.Repeat("/a", 5000) + "/..",
	} {
		if CheckPath([]byte(path)) == nil {
			t.Errorf("%.40q passes", path)
		}
	}
	for _, path := range []string{
		"", "*", "/", "//", "/a", "/...", "/....", "/.a", "/..a", "/a.", "/a..", "/a..b/c", "/.well-known/x",
		"/%2e%2e%2e", "/..%2e", "/%2ea", "/a%2e%2e", "/..%20", "/..+", "/..,", "/..=;",
		"/%252e%252e/", "/%25%32%65", "/a;..", "/a;/b", "/a;x=../b", "/a%2Fb", `/a\b`, "/a%5Cb", "/%2", "/%", "/.%2", "/..%",
		"/file.tar.gz", "/v1.2/x",
	} {
		if CheckPath([]byte(path)) != nil {
			t.Errorf("%q is refused", path)
		}
	}
}

func TestNormalize(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b/c/./../../g":   "/a/g", // RFC 3986, section 5.2.4
		"/./a":               "/a",
		"/../a":              "/a",
		"/../../a":           "/a",
		"/a/..":              "/",
		"/a/.":               "/a/",
		"/a/b/..":            "/a/",
		"/.":                 "/",
		"/..":                "/",
		"/a/%2e%2E/b":        "/b",
		"/a/.%2e":            "/",
		"/a//../b":           "/a/b",
		"/a/..//b":           "//b",
		"//a//./b//":         "//a//b//",
		"/%61/../%2F%zz/é;x": "/%2F%zz/é;x",
		"/a/.../..b/b../..c": "/a/.../..b/b../..c",
		"/a/%252e/../b":      "/a/b",
		"/unchanged//a%2Fb/": "/unchanged//a%2Fb/",
		"*":                  "*",
		"":                   "",
	} {
		if got, ok := Normalize([]byte("x"), []byte(path)); !ok || string(got) != "x"+want {
			t.Errorf("%q: got %q, %v, want %q", path, got, ok, want)
		}
		inPlace := []byte(path)
		if got, ok := Normalize(inPlace[:0], inPlace); !ok || string(got) != want {
			t.Errorf("%q in place: got %q, %v, want %q", path, got, ok, want)
		}
	}
	for _, path := range []string{"/a/..;/b", "/a/../..;x/b", `/a/..\b`, "/..%2Fa", "/a%5c..", "..", "a/../b", "./"} {
		if got, ok := Normalize([]byte("x"), []byte(path)); ok || string(got) != "x" {
			t.Errorf("%q: got %q, %v, want it refused", path, got, ok)
		}
	}
}
