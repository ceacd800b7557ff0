package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func (c *checker) service(s Service, path string) {
	if s.TLS != nil {
		c.clientTLS(s.TLS, joinKey(path, "tls"))
	}
	if message := badHost(s.Host); message != "" && s.Host != "" {
		c.add(joinKey(path, "host"), "want preserve, endpoint or the value to send: %s", message)
	}
	c.tries(s, path)
	c.backpressure(s.Backpressure, joinKey(path, "backpressure"))
	if s.Health != nil {
		c.health(s.Health, joinKey(path, "health"))
	}
	c.placing(s, path)
	c.endpoints(s.Endpoints, joinKey(path, "endpoints"))
	c.versions(s, path)
}

// endpoints checks endpoints that are listed together, at path.
func (c *checker) endpoints(listed []Endpoint, path string) {
	names := map[string]string{}
	for i, e := range listed {
		below := joinIndex(path, i)
		c.endpoint(e, below)
		if e.Name == "" {
			continue
		}
		if other, ok := names[e.Name]; ok {
			c.add(joinKey(below, "name"), "%s is the name of %s already", quote(e.Name), other)
			continue
		}
		names[e.Name] = below
	}
}

func (c *checker) endpoint(e Endpoint, path string) {
	if message := badEndpointURL(e.URL); e.URL != "" && message != "" {
		c.add(joinKey(path, "url"), "%s", message)
	}
	if message := badName(e.Name); e.Name != "" && message != "" {
		c.add(joinKey(path, "name"), "%s", message)
	}
	if e.TLS != nil {
		c.clientTLS(e.TLS, joinKey(path, "tls"))
	}
	c.endpointFields(e.Headers, joinKey(path, "headers"))
	if message := badNamed("zone", e.Zone); e.Zone != "" && message != "" {
		c.add(joinKey(path, "zone"), "%s", message)
	}
	c.labels(e.Labels, joinKey(path, "labels"))
}

// An endpoint has at most so many labels, and so many bytes of names and values,
// whoever announces it.
const (
	maxLabels     = 32
	maxLabelBytes = 1024
)

func (c *checker) labels(labels map[string]string, path string) {
	size := 0
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name == "" || !isText(name) || !isText(labels[name]) {
			c.add(joinKey(path, name), "a label is a name and a text, of UTF-8 without control characters")
		}
		size += len(name) + len(labels[name])
	}
	switch {
	case len(labels) > maxLabels:
		c.add(path, "has %d labels; at most %d", len(labels), maxLabels)
	case size > maxLabelBytes:
		c.add(path, "has %d bytes of names and values; at most %d", size, maxLabelBytes)
	}
}

func (c *checker) clientTLS(t *ClientTLS, path string) {
	if (t.Cert == "") != (t.Key == "") {
		c.add(path, "cert and key go together; one of them is missing")
	}
	c.filePath(t.CA, joinKey(path, "ca"))
	c.filePath(t.Cert, joinKey(path, "cert"))
	c.filePath(t.Key, joinKey(path, "key"))
	if t.ServerName != "" && !isIP(t.ServerName) && badHostName(t.ServerName) != "" {
		c.add(joinKey(path, "server_name"), "%s", badHostName(t.ServerName))
	}
}

// isText reports whether a text is UTF-8 without control characters: the environment
// may have neither.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// badEndpointURL tells what is wrong with the address of an endpoint. What may
// be a password is never repeated.
func badEndpointURL(raw string) string {
	if file, ok := strings.CutPrefix(raw, "unix:"); ok {
		return badUnixPath(file)
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	switch {
	case !ok:
		return quote(raw) + " has no scheme; write http://" + strings.TrimLeft(raw, "/")
	case scheme != "http" && scheme != "https":
		return "the scheme " + quote(scheme) + " is not supported; write http://, https:// or unix:/path"
	case strings.Contains(rest, "#"):
		return "a fragment (#) is never sent; leave it out"
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
	}
	if strings.Contains(authority, "@") {
		return "a URL carries no user and password; write an Authorization field under headers"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return quote(raw) + " is not a URL: " + plainURLError(err)
	}
	return badURLParts(u, scheme)
}

func badURLParts(u *url.URL, scheme string) string {
	port := u.Port()
	switch {
	case u.Hostname() == "":
		return "the URL has no host; write " + scheme + "://host:port"
	case port == "" && strings.HasSuffix(u.Host, ":"), port != "" && !isPort(port, 1):
		return "the port " + quote(port) + " is not a number from 1 to 65535"
	case !isIP(u.Hostname()) && badHostName(u.Hostname()) != "":
		return badHostName(u.Hostname())
	case strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "the query has characters that it carries percent-encoded only"
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		if message := badLiteralSegment(strings.ReplaceAll(segment, "*", "")); message != "" {
			return message
		}
	}
	return ""
}

// plainURLError is what url.Parse says, without the URL in front.
func plainURLError(err error) string {
	message := err.Error()
	if i := strings.LastIndex(message, `": `); i >= 0 {
		message = message[i+3:]
	}
	return message
}
