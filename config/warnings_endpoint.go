package config

import (
	"maps"
	"slices"
	"strings"
)

// placing tells of what has no say in where requests go.
func (w serviceWarner) placing() {
	s := w.service
	if s.HashOn != "" && !s.hashes() && len(s.Split) == 0 {
		w.add(w.below("hash_on"), "has no effect: balance is %s", s.Balance)
	}
	if s.Balance == "first" {
		for i, e := range s.Endpoints {
			if e.Weight != 1 {
				w.add(joinKey(joinIndex(w.below("endpoints"), i), "weight"), "has no effect: balance is first")
			}
		}
	}
	if s.Sticky != nil && s.Sticky.Secret == "" {
		w.addAtKey(w.below("sticky"), "has no secret, so its cookies end with the process, and another instance does not know them")
	}
}

// endpoints tells of equal URLs, and of TLS without effect or without use.
func (w serviceWarner) endpoints() {
	s := w.service
	w.insecure(s.TLS, w.below("tls"))
	https := w.listed(s.Endpoints, w.below("endpoints"))
	listed := len(s.Endpoints)
	for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
		v := s.Versions[name]
		https = w.listed(v.Endpoints, w.below("versions", name, "endpoints")) || https
		listed += len(v.Endpoints)
	}
	if s.TLS != nil && !https && listed > 0 && !w.open {
		w.addAtKey(w.below("tls"), "has no effect: no endpoint is https")
	}
}

// listed looks at endpoints that are listed together, at path, and reports whether
// any of them is https.
func (w serviceWarner) listed(endpoints []Endpoint, path string) (https bool) {
	urls := map[string]string{}
	for i, e := range endpoints {
		below := joinIndex(path, i)
		encrypted := strings.HasPrefix(e.URL, "https:")
		https = https || encrypted
		w.insecure(e.TLS, joinKey(below, "tls"))
		if e.TLS != nil && !encrypted {
			w.addAtKey(joinKey(below, "tls"), "has no effect: the URL is not https")
		}
		if other, ok := urls[e.URL]; ok && e.Name == "" {
			w.add(joinKey(below, "url"), "is the URL of %s already; give it a name, or the other a weight", other)
			continue
		}
		urls[e.URL] = below
	}
	return https
}

func (c *checker) insecure(t *ClientTLS, path string) {
	if t != nil && t.InsecureSkipVerify {
		c.add(joinKey(path, "insecure_skip_verify"), "any certificate is accepted, so whoever is in between can read and change everything")
	}
}
