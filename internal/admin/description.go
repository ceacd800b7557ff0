package admin

import (
	"maps"
	"strings"
)

// A Description is an endpoint as whoever runs the proxy describes it, unlike an
// [Endpoint], which is how it fares.
type Description struct {
	// Name is its identity within the service.
	Name string `json:"name"`
	URL  string `json:"url"`
	// Weight is 1 to 1000.
	Weight int `json:"weight"`
	// Concurrency is how many requests it is given at a time; 0 is any number.
	Concurrency int               `json:"concurrency,omitempty"`
	Zone        string            `json:"zone,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	// Headers are fields that each request to it carries. Those that look secret
	// are not shown.
	Headers map[string]string `json:"headers,omitempty"`
	// Source is who announced it: config, api, worker, or the kind of a provider.
	// It is read-only, and so is Draining.
	Source   string `json:"source,omitempty"`
	Draining bool   `json:"draining,omitempty"`
}

// hidden stands in place of a secret.
const hidden = "xxxxx"

// redacted returns d without what is secret.
func (d Description) redacted() Description {
	d.Name, d.URL = redact(d.Name), redact(d.URL)
	d.Headers = maps.Clone(d.Headers)
	for name := range d.Headers {
		if looksSecret(name) {
			d.Headers[name] = hidden
		}
	}
	return d
}

// looksSecret tells by its name whether a field carries a secret. Hiding one too
// many does less harm than showing one.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "key", "secret", "passw", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
