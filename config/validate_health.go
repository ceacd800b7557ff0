package config

import "strings"

func (c *checker) health(h *Health, path string) {
	expect := joinKey(path, "expect")
	if h.Expect != nil && len(h.Expect) == 0 {
		c.add(expect, "an empty list lets no check succeed; leave it out to expect 2xx")
	}
	c.statuses(h.Expect, nil, expect)
	if h.Path == "" {
		return
	}
	if message := badTarget(h.Path); message != "" {
		c.add(joinKey(path, "path"), "%s", message)
	}
}

// badTarget tells why a request could not ask for target, a path with or without
// a query.
func badTarget(target string) string {
	switch {
	case !strings.HasPrefix(target, "/"):
		return quote(target) + " does not begin with /"
	case strings.Contains(target, "#"):
		return "a fragment (#) is never sent; leave it out"
	case strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' }):
		return quote(target) + " has characters that a request carries percent-encoded only"
	}
	return ""
}
