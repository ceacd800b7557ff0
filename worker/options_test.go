package worker

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRouter_IsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]string{ // key, then what it is called in requests
		"https://router.example.com":       "https://router.example.com:443 router.example.com",
		"https://Router.example.com:8443/": "https://router.example.com:8443 router.example.com:8443",
		"http://router.example.com":        "http://router.example.com:80 router.example.com",
		"HTTPS://[2001:db8::1]":            "https://[2001:db8::1]:443 [2001:db8::1]",
		"router.example.com:7000":          "https://router.example.com:7000 router.example.com:7000",
		"10.0.0.1:7000":                    "https://10.0.0.1:7000 10.0.0.1:7000",
		"127.0.0.1:7000":                   "http://127.0.0.1:7000 127.0.0.1:7000",
		"127.8.9.1:7000":                   "http://127.8.9.1:7000 127.8.9.1:7000",
		"localhost:7000":                   "http://localhost:7000 localhost:7000",
		"[::1]:7000":                       "http://[::1]:7000 [::1]:7000",
		"https://localhost:7000":           "https://localhost:7000 localhost:7000",
	} {
		r, err := parseRouter(text)
		if got := r.key() + " " + r.authority(); err != nil || got != want {
			t.Errorf("%s is read as %s (%v), not as %s", text, got, err, want)
		}
	}
}

func TestRouter_ThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "router", "router.example.com", ":7000", "https://", "https://:443", "https://host:", "https://host:0", "https://host:65536",
		"https://host:http", "ftp://host:21", "https://host/path", "https://host?x", "https://host#x", "https://u:p@host", "host:1:2",
		"https://2001:db8::1", "https://[host]:1", "ho st:1", "host\r\nX: y:1", "https://https://host:1", "//host:1", "https://hö.example:1",
	} {
		if r, err := parseRouter(text); err == nil {
			t.Errorf("%q is read as %s", text, r.key())
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func TestServe_SaysEverythingThatIsWrong(t *testing.T) {
	err := Serve(t.Context(), Options{
		Routers: []string{"router", "localhost:7000"}, Protocol: RH2,
		Service: "a/b", Version: "..", Instance: strings.Repeat("i", 129), Weight: 1001, Concurrency: -1, ShutdownTimeout: -time.Second,
		Token: "secret-token\n", Labels: map[string]string{"a b": "c"},
	}, http.NotFoundHandler())
	if err == nil {
		t.Fatal("Serve takes options that are wrong")
	}
	for _, part := range []string{
		`router "router"`, "write https://localhost:7000", "Options.Service", "Options.Version", "Options.Instance", "Options.Weight",
		"Options.Concurrency", "Options.ShutdownTimeout", "Options.Token", "Options.Labels",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error shows the token: %v", err)
	}
	if err := Serve(t.Context(), Options{}, nil); err == nil || !strings.Contains(err.Error(), "Options.Routers is empty") {
		t.Errorf("without a router Serve returns %v", err)
	}
}

func TestLabels_AreBounded(t *testing.T) {
	for want, labels := range map[string]map[string]string{
		"not visible ASCII":      {"": "x"},
		"control characters":     {"a": "\n"},
		"that is not UTF-8":      {"a": "\xff"},
		"at most 1024 are taken": {"a": strings.Repeat("x", 1024)},
	} {
		if err := checkLabels(labels); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the labels %.40v are checked with %v, not with %q", labels, err, want)
		}
	}
}

func TestOptions_MakeUpAnInstance(t *testing.T) {
	a, b := makeInstance(), makeInstance()
	if a == b || badName(a) != "" {
		t.Errorf("the instances made up are %q and %q", a, b)
	}
}

func TestOptions_KeepTLSAsItIsGiven(t *testing.T) {
	given := &tls.Config{MinVersion: tls.VersionTLS10, NextProtos: []string{"x"}} //nolint:gosec // that is the point
	o := Options{TLS: given, Protocol: RH2}
	c := o.tlsFor(router{host: "router.example.com"})
	if c.ServerName != "router.example.com" || c.MinVersion != tls.VersionTLS12 || !slices.Equal(c.NextProtos, []string{"rh2"}) {
		t.Errorf("towards a router the configuration is %q, %x, %q", c.ServerName, c.MinVersion, c.NextProtos)
	}
	if given.ServerName != "" || given.MinVersion != tls.VersionTLS10 {
		t.Error("the configuration that was given is changed")
	}
}

func TestProtocol_IsReadByItsName(t *testing.T) {
	for _, p := range []Protocol{PTTH, RH2, RHTTP} {
		if got, err := ParseProtocol(p.String()); got != p || err != nil {
			t.Errorf("%v is read as %v (%v)", p, got, err)
		}
	}
	if p, err := ParseProtocol("h2"); err == nil {
		t.Errorf("h2 is read as %v", p)
	}
}

func TestBackoff_GrowsToItsBound(t *testing.T) {
	var b backoff
	bound := minBackoff
	for range 20 {
		if wait := b.next(nil); wait <= 0 || wait > bound {
			t.Errorf("a wait of at most %v is %v", bound, wait)
		}
		bound = min(2*bound, maxBackoff)
	}
	b.reset()
	if wait := b.next(nil); wait > minBackoff {
		t.Errorf("after a connection that was stable the wait is %v", wait)
	}
}
