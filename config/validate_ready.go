package config

import (
	"net/url"
	"slices"
	"strings"
)

// ready checks what a route has ready-made.
func (c *checker) ready(r Route, path string) {
	if r.CORS != nil {
		c.cors(r.CORS, joinKey(path, "cors"))
	}
	if r.Compress != nil {
		c.compress(r.Compress, joinKey(path, "compress"))
	}
	if r.Allow != nil && len(r.Allow) == 0 {
		c.add(joinKey(path, "allow"), "an empty list lets nobody in; leave it out to let everybody in")
	}
	if l := r.RateLimit; l != nil {
		c.selector(l.Key, joinKey(joinKey(path, "rate_limit"), "key"))
	}
}

// selector checks an expression that is written as a selector is.
func (c *checker) selector(text Expression, path string) {
	if !IsSelector(text) {
		return
	}
	if _, err := ParseSelector(text); err != nil {
		c.add(path, "%v", err)
	}
}

func (c *checker) cors(o *CORS, path string) {
	origins := joinKey(path, "origins")
	for i, origin := range o.Origins {
		if message := badOrigin(origin); message != "" {
			c.add(joinIndex(origins, i), "%s", message)
		}
	}
	methods := joinKey(path, "methods")
	for i, m := range o.Methods {
		if message := badMethod(m, o.Methods[:i]); m != "*" && message != "" {
			c.add(joinIndex(methods, i), "%s", message)
		}
	}
	c.fieldNames(o.Headers, joinKey(path, "headers"))
	c.fieldNames(o.Expose, joinKey(path, "expose"))
	for key, list := range map[string][]string{"origins": o.Origins, "methods": o.Methods, "headers": o.Headers, "expose": o.Expose} {
		c.wildcard(list, o.Credentials, joinKey(path, key))
	}
}

// wildcard checks that a * stands alone, and not beside credentials: browsers take
// it for no wildcard then.
func (c *checker) wildcard(list []string, credentials bool, path string) {
	i := slices.Index(list, "*")
	switch {
	case i < 0:
	case credentials:
		c.add(joinIndex(path, i), "browsers let no * stand beside credentials: true; write out what is meant")
	case len(list) > 1:
		c.add(joinIndex(path, i), "* stands for all, so that it stands alone")
	}
}

func (c *checker) fieldNames(names []string, path string) {
	for i, name := range names {
		if !isToken(name) {
			c.add(joinIndex(path, i), "%s is not a field name", quote(name))
		}
	}
}

// badOrigin tells what is wrong with an origin, which is compared as browsers send
// it.
func badOrigin(origin string) string {
	if origin == "*" {
		return ""
	}
	if origin == "null" {
		return "null is the origin of every page in a sandbox, whoever wrote it; it cannot be told apart"
	}
	u, err := url.Parse(strings.Replace(origin, "://*.", "://", 1))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return quote(origin) + " is not an origin; write https://app.example.com, https://*.example.com or *"
	}
	if written := u.Scheme + "://" + strings.ToLower(u.Host); u.Path+u.RawQuery+u.Fragment != "" || u.User != nil {
		return quote(origin) + " has more than an origin; write " + written
	}
	if message := badHost(u.Host); message != "" {
		return message
	}
	if u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443" {
		return "browsers leave out the port that the scheme has anyway; write " + u.Scheme + "://" + u.Hostname()
	}
	if strings.ToLower(origin) != origin {
		return "browsers send origins in lower case; write " + strings.ToLower(origin)
	}
	return ""
}

func (c *checker) compress(z *Compress, path string) {
	types := joinKey(path, "types")
	if z.Types != nil && len(z.Types) == 0 {
		c.add(types, "an empty list compresses nothing; leave it out to take the defaults, or write compress: false")
	}
	for i, t := range z.Types {
		if message := badMediaType(t); message != "" {
			c.add(joinIndex(types, i), "%s", message)
		}
	}
	algorithms := joinKey(path, "algorithms")
	if z.Algorithms != nil && len(z.Algorithms) == 0 {
		c.add(algorithms, "an empty list compresses nothing; leave it out to take the defaults, or write compress: false")
	}
	for i, a := range z.Algorithms {
		if slices.Contains(z.Algorithms[:i], a) {
			c.add(joinIndex(algorithms, i), "%s is listed twice", a)
		}
	}
}

// badMediaType tells what is wrong with a media type or a pattern of them.
func badMediaType(text string) string {
	kind, sub, ok := strings.Cut(text, "/")
	switch {
	case strings.Contains(text, ";"):
		return quote(text) + " has parameters; they are not compared, leave them out"
	case !ok || !isToken(kind) || !isToken(sub):
		return quote(text) + " is not a media type; write text/html, text/* or */*+json"
	case kind == "*" && sub != "*" && !strings.HasPrefix(sub, "*+"),
		strings.Contains(kind, "*") && kind != "*",
		strings.Contains(sub, "*") && sub != "*" && (!strings.HasPrefix(sub, "*+") || strings.Count(sub, "*") > 1):
		return quote(text) + " is not a pattern such as text/*, */*+json or */*"
	}
	return ""
}
