package sidecar

import (
	"strings"
	"testing"
)

func TestParseTarget_KnowsWhereToDial(t *testing.T) {
	for _, c := range []struct{ text, network, address, scheme, base string }{
		{"http://localhost:3000", "tcp", "localhost:3000", "http", ""},
		{"http://localhost", "tcp", "localhost:80", "http", ""},
		{"http://localhost:3000/", "tcp", "localhost:3000", "http", ""},
		{"http://localhost:3000/base", "tcp", "localhost:3000", "http", "/base"},
		{"http://localhost:3000/a%2Fb/", "tcp", "localhost:3000", "http", "/a%2Fb"},
		{"http://[::1]:3000", "tcp", "[::1]:3000", "http", ""},
		{"HTTPS://localhost", "tcp", "localhost:443", "https", ""},
		{"h2c://127.0.0.1:50051", "tcp", "127.0.0.1:50051", "h2c", ""},
		{"unix:/run/web.sock", "unix", "/run/web.sock", "http", ""},
	} {
		got, err := ParseTarget(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got.network != c.network || got.address != c.address || got.scheme != c.scheme || got.base != c.base {
			t.Errorf("%s is %+v, want %+v", c.text, got, c)
		}
		if got.String() != c.text {
			t.Errorf("%s is told back as %s", c.text, got)
		}
	}
}

func TestParseTarget_SaysWhatToWrite(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "write for example http://localhost:3000"},
		{"3000", "write http://localhost:3000"},
		{"localhost:3000", "write http://localhost:3000"},
		{"/run/web.sock", "write unix:/run/web.sock"},
		{"unix:web.sock", "absolute path"},
		{"unix:///web.sock", "unix:/path"},
		{"ftp://localhost", `"ftp" is not http, https, h2c or unix`},
		{"http://:3000", "no host"},
		{"http://localhost:0", "port"},
		{"http://localhost:70000", "port"},
		{"http://localhost:x", "invalid port"},
		{"http://me:secret@localhost", "credentials"},
		{"http://localhost?a=b", "query"},
		{"http://localhost#a", "fragment"},
	} {
		_, err := ParseTarget(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: the error is %v, want something with %q", c.text, err, c.says)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", c.text, err)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	f.Add("http://localhost:3000/base", "/a%2Fb?x")
	f.Add("unix:/run/web.sock", "//a?")
	f.Add("h2c://[::1]", "*")
	f.Fuzz(func(t *testing.T, text, target string) {
		parsed, err := ParseTarget(text)
		if err != nil {
			return
		}
		if parsed.address == "" || parsed.host == "" {
			t.Fatalf("%q has nothing to dial: %+v", text, parsed)
		}
		if !strings.HasPrefix(target, "/") {
			return
		}
		want := parsed.base + target
		if strings.HasPrefix(want, "//") {
			return // see TestHandler_SendsTheTargetByteForByte
		}
		if got := parsed.url(target).RequestURI(); got != want {
			t.Errorf("%q and %q make %q", text, target, got)
		}
	})
}
