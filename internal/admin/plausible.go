package admin

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a description.
const (
	maxWeight      = 1000
	maxConcurrency = 10_000_000
	maxText        = 2048 // of a name or a URL
	maxZone        = 256
	maxLabels      = 32 // as many as a worker may have
	maxLabelBytes  = 1024
	maxFields      = 32
	maxFieldBytes  = 8 << 10
)

// problem tells what is wrong with a description, after the name of the member; or
// nothing.
func (d *Description) problem() string {
	switch {
	case d.URL == "":
		return "url: is missing"
	case d.Weight < 1 || d.Weight > maxWeight:
		return fmt.Sprintf("weight: is not between 1 and %d", maxWeight)
	case d.Concurrency < 0 || d.Concurrency > maxConcurrency:
		return fmt.Sprintf("concurrency: is not between 0 (any number) and %d", maxConcurrency)
	case len(d.Zone) > maxZone || !isPrintable(d.Zone):
		return fmt.Sprintf("zone: has more than %d bytes, or control characters", maxZone)
	}
	for _, wrong := range []string{checkURL(d.URL), checkLabels(d.Labels), checkFields(d.Headers)} {
		if wrong != "" {
			return wrong
		}
	}
	return ""
}

func checkName(name string) string {
	if len(name) > maxText || !isPrintable(name) || strings.TrimSpace(name) != name {
		return fmt.Sprintf("name: has more than %d bytes, control characters, or spaces around it", maxText)
	}
	return ""
}

func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// checkURL never repeats what may be a password.
func checkURL(raw string) string {
	if len(raw) > maxText || !isPrintable(raw) {
		return fmt.Sprintf("url: has more than %d bytes, or control characters", maxText)
	}
	if path, ok := strings.CutPrefix(raw, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return "url: the path of a Unix socket begins with a slash, as in unix:/run/app.sock"
		}
		return ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return "url: write http://host:port, https://host:port or unix:/path"
	case u.User != nil:
		return "url: carries no user and password; write an Authorization field under headers"
	case strings.Contains(raw, "#"):
		return "url: a fragment (#) is never sent; leave it out"
	}
	return ""
}

func checkLabels(labels map[string]string) string {
	size := 0
	for name, value := range labels {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "labels: a name is empty, or not visible ASCII"
		}
		if !isPrintable(value) {
			return "labels: a value has control characters"
		}
		size += len(name) + len(value)
	}
	if len(labels) > maxLabels || size > maxLabelBytes {
		return fmt.Sprintf("labels: are more than %d, or more than %d bytes", maxLabels, maxLabelBytes)
	}
	return ""
}

// proxyFields are the proxy's own to write: they frame the message or concern one
// connection only (RFC 9110, section 7.6.1).
var proxyFields = []string{
	"connection", "keep-alive", "proxy-connection", "te", "upgrade", "trailer", "transfer-encoding",
	"content-length", "expect", "host",
}

func checkFields(fields map[string]string) string {
	size := 0
	var seen []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if wrong := checkField(name, fields[name]); wrong != "" {
			return fmt.Sprintf("headers.%.60q: %s", name, wrong)
		}
		lower := strings.ToLower(name)
		if slices.Contains(seen, lower) {
			return fmt.Sprintf("headers.%.60q: is there twice; names are compared without case", name)
		}
		seen = append(seen, lower)
		size += len(name) + len(fields[name])
	}
	if len(fields) > maxFields || size > maxFieldBytes {
		return fmt.Sprintf("headers: are more than %d, or more than %d bytes", maxFields, maxFieldBytes)
	}
	return ""
}

func checkField(name, value string) string {
	switch {
	case !isToken(name):
		return "is not a field name"
	case slices.Contains(proxyFields, strings.ToLower(name)):
		return "cannot be set here; it is the proxy's own"
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "a field value has no line breaks and no control characters"
	case strings.Trim(value, " \t") != value:
		return "a field value has no spaces around it; they would not arrive"
	case value == hidden && looksSecret(name):
		return hidden + " stands for a value that is not shown; write the value itself"
	}
	return ""
}

// isToken tells whether a text is a token of RFC 9110, section 5.6.2.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
