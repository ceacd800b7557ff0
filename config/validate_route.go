package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

func (c *checker) routes(cfg *Config) {
	services := slices.Collect(maps.Keys(cfg.Services))
	if len(cfg.Routes) == 0 && len(services) > 1 {
		first := slices.Min(services)
		if !c.failed["routes"] {
			c.addAtKey("services", "there are %d services and no routes; say which requests go where, as in routes: [{match: {path: \"/%s/*\"}, service: %s}]", len(services), first, first)
		}
	}
	seen := map[string]string{}
	for i, r := range cfg.Routes {
		path := joinIndex("routes", i)
		c.routeService(r, path, cfg.Services, services)
		c.routeSteps(r, path)
		c.ready(r, path)
		if match := joinKey(path, "match"); !c.match(r.Match, match) || c.broken(match, joinKey(path, "strip_prefix")) {
			continue
		}
		if message := badStripPrefix(r.StripPrefix, r.Match.Path); message != "" {
			c.add(joinKey(path, "strip_prefix"), "%s", message)
		}
		id := r.Match.identity()
		if other, ok := seen[id]; ok {
			c.add(path, "matches exactly what %s matches%s", other, r.Match.guarded())
			continue
		}
		seen[id] = path
	}
}

func (c *checker) routeService(r Route, path string, services map[string]Service, known []string) {
	if r.Service == "" {
		return // said to be required already
	}
	at := joinKey(path, "service")
	t, err := ParseTarget(r.Service)
	if err != nil {
		c.add(at, "%v", err)
		return
	}
	c.captured(t, r.Match.Path, path)
	name := t.Service.Text
	_, ok := services[name]
	switch {
	case t.Service.Capture || ok || c.failed["services"]:
	case len(known) == 0:
		c.add(at, "there is no service %s; services is empty", quote(name))
	default:
		c.add(at, "there is no service %s%s; there are: %s", quote(name), didYouMean(name, known), list(known))
	}
}

// captured checks that the path of the route at path has the captures of its
// target.
func (c *checker) captured(t Target, pattern, path string) {
	if badPathPattern(pattern) != "" || c.broken(joinKey(joinKey(path, "match"), "path")) {
		return
	}
	has := captures(pattern)
	for _, n := range []TargetName{t.Service, t.Version} {
		switch {
		case !n.Capture || slices.Contains(has, n.Text):
		case len(has) == 0:
			c.add(joinKey(path, "service"), "the path %s has no capture {%s}; write one, as in match: { path: \"/{%s}/*\" }", quote(pattern), n.Text, n.Text)
		default:
			c.add(joinKey(path, "service"), "the path %s has no capture {%s}%s; it has: %s", quote(pattern), n.Text, didYouMean(n.Text, has), list(has))
		}
	}
}

// match checks all conditions and tells whether they are sound.
func (c *checker) match(m Match, path string) bool {
	before := len(c.found)
	if message := badHostPattern(m.Host); m.Host != "" && message != "" {
		c.add(joinKey(path, "host"), "%s", message)
	}
	if message := badPathPattern(m.Path); message != "" {
		c.add(joinKey(path, "path"), "%s", message)
	}
	if m.Methods != nil && len(m.Methods) == 0 {
		c.add(joinKey(path, "methods"), "an empty list matches nothing; leave it out to match any method")
	}
	for i, method := range m.Methods {
		if message := badMethod(method, m.Methods[:i]); message != "" {
			c.add(joinIndex(joinKey(path, "methods"), i), "%s", message)
		}
	}
	lower := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		below := joinKey(joinKey(path, "headers"), name)
		if other, ok := lower[strings.ToLower(name)]; ok {
			c.addAtKey(below, "is the same field as %s; names are compared without case", other)
		}
		lower[strings.ToLower(name)] = name
		c.field(name, m.Headers[name], below)
	}
	return len(c.found) == before
}

// guarded is the end of a message about two matches that are equal.
func (m Match) guarded() string {
	if m.When == "" {
		return ""
	}
	return ", with the same when"
}

// identity is equal for two matches that hold for the same requests and rank
// the same: what captures are called makes no difference.
func (m Match) identity() string {
	segments := strings.Split(m.Path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{}"
		}
	}
	headers := map[string]string{}
	for name, value := range m.Headers {
		headers[strings.ToLower(name)] = value
	}
	return fmt.Sprintf("%q %q %q %q %q", strings.ToLower(m.Host), segments, slices.Sorted(slices.Values(m.Methods)), headers, m.When)
}

var knownMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

func badMethod(method string, before []string) string {
	upper := strings.ToUpper(method)
	switch {
	case !isToken(method):
		return quote(method) + " is not a method"
	case upper != method && slices.Contains(knownMethods, upper):
		return "methods are written in capitals; write " + upper
	case slices.Contains(before, method):
		return method + " is listed twice"
	}
	return ""
}

// badPathPattern tells what is wrong with the path of a match.
func badPathPattern(pattern string) string {
	if !strings.HasPrefix(pattern, "/") {
		return quote(pattern) + " does not begin with /"
	}
	segments := strings.Split(pattern[1:], "/")
	captures := map[string]bool{}
	for i, segment := range segments {
		last := i == len(segments)-1
		switch {
		case segment == "" && !last:
			return quote(pattern) + " has an empty segment"
		case segment == "*" && !last:
			return "a * stands only as the last segment; name the others, as in /{any}/*"
		case segment == "*":
		case strings.ContainsAny(segment, "{}"):
			name := strings.TrimSuffix(strings.TrimPrefix(segment, "{"), "}")
			if len(name) != len(segment)-2 || !variableName.MatchString(name) {
				return quote(segment) + " is not a capture; it is a whole segment such as {name}"
			}
			if captures[name] {
				return "the capture {" + name + "} is there twice"
			}
			captures[name] = true
		default:
			if message := badLiteralSegment(segment); message != "" {
				return message
			}
		}
	}
	return ""
}

// badLiteralSegment tells why no request could have the segment: its path is
// matched as it is forwarded, percent-encoded, without dot segments.
func badLiteralSegment(segment string) string {
	decoded, err := url.PathUnescape(segment)
	switch {
	case err != nil:
		return quote(segment) + " has a % that is no escape; write %25"
	case decoded == "." || decoded == "..":
		return quote(segment) + " is a dot segment; no request is forwarded with one"
	case strings.ContainsAny(segment, "?#"):
		return quote(segment) + " has a query or a fragment; only the path is matched"
	case strings.Contains(segment, "*"):
		return quote(segment) + " mixes * with other characters; a * is a whole segment"
	}
	for _, r := range segment {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`|", r) {
			return fmt.Sprintf("%s has %q, which a path carries percent-encoded: write %s", quote(segment), r, url.PathEscape(string(r)))
		}
	}
	return ""
}

// badStripPrefix tells what is wrong with a prefix to take off. The path begins
// with the same segments, captures under the same names, so that there is always
// something to take off, and the rest begins with a slash or is empty.
func badStripPrefix(prefix, path string) string {
	switch {
	case prefix == "":
		return ""
	case !strings.HasPrefix(prefix, "/"):
		return quote(prefix) + " does not begin with /"
	case strings.HasSuffix(prefix, "/"):
		return quote(prefix) + " ends with /; write whole segments, as in /api"
	case strings.Contains(prefix, "*"):
		return "what * stands for cannot be taken off; write the segments before it"
	case path != prefix && !strings.HasPrefix(path, prefix+"/"):
		return "the path " + quote(path) + " does not begin with the segments of " + quote(prefix)
	}
	return ""
}
