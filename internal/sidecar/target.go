package sidecar

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// A Target is a local server. Its zero value is none.
type Target struct {
	scheme  string // http, https or h2c
	network string // tcp or unix
	address string // to dial
	host    string // the authority, for TLS and for requests that have none
	base    string // before each path; empty, or with a slash at its beginning and none at its end
	written string
}

// ParseTarget reads what a user writes:
//
//	http://localhost:3000       HTTP/1.1
//	http://localhost:3000/base  likewise, with /base before each path
//	https://localhost:3443      HTTP/1.1 over TLS, verified
//	h2c://localhost:3000        HTTP/2 in clear text, for servers of gRPC
//	unix:/run/web.sock          HTTP/1.1 on a Unix socket
func ParseTarget(text string) (Target, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return unixTarget(text, path)
	}
	scheme, _, ok := strings.Cut(text, "://")
	if !ok {
		return Target{}, errors.New(withoutScheme(text))
	}
	port, known := defaultPorts[strings.ToLower(scheme)]
	if !known {
		return Target{}, fmt.Errorf("%q is not http, https, h2c or unix", scheme)
	}
	u, err := url.Parse(text)
	if err != nil {
		return Target{}, errors.Unwrap(err)
	}
	if err := checkURL(u); err != nil {
		return Target{}, err
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return Target{
		scheme: u.Scheme, network: "tcp", address: net.JoinHostPort(u.Hostname(), port),
		host: u.Host, base: strings.TrimRight(u.EscapedPath(), "/"), written: text,
	}, nil
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "h2c": "80"}

func unixTarget(text, path string) (Target, error) {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return Target{}, errors.New("a Unix socket is written unix:/path, with an absolute path")
	}
	return Target{scheme: "http", network: "unix", address: path, host: "localhost", written: text}, nil
}

// withoutScheme tells how to write what was meant.
func withoutScheme(text string) string {
	switch _, err := strconv.ParseUint(text, 10, 16); {
	case text == "":
		return "it is empty; write for example http://localhost:3000"
	case err == nil:
		return "it has no scheme; write http://localhost:" + text
	case strings.HasPrefix(text, "/"):
		return "it has no scheme; write unix:" + text + " for a Unix socket"
	}
	return "it has no scheme; write http://" + text
}

func checkURL(u *url.URL) error {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Hostname() == "":
		return errors.New("it names no host")
	case u.Port() != "" && (err != nil || port == 0):
		return errors.New("its port is not one of 1 to 65535")
	case u.User != nil:
		return errors.New("it has a user; credentials belong into the requests")
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("it has a query; each request brings its own")
	case u.Fragment != "":
		return errors.New("it has a fragment")
	}
	return nil
}

// String returns the target as it was written.
func (t Target) String() string { return t.written }

// url returns where a request for target goes, a path with its query or *, as it
// stands in the request line.
func (t Target) url(target string) *url.URL {
	u := &url.URL{Scheme: t.scheme, Host: t.host}
	if t.scheme == "h2c" {
		u.Scheme = "http"
	}
	if target != "*" {
		target = t.base + target
	}
	if !strings.HasPrefix(target, "//") {
		u.Opaque = target // which is written byte for byte
		return u
	}
	// Two slashes would make an authority of it.
	path, query, has := strings.Cut(target, "?")
	u.Path, u.RawQuery, u.ForceQuery = path, query, has
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	return u
}
