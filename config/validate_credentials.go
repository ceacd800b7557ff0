package config

import (
	"net"
	"net/url"
	"strings"
)

// maxToken bounds tokens; the head of a request that carries one is bounded too.
const maxToken = 4096

// tokens checks secrets, without ever repeating one.
func (c *checker) tokens(tokens []AttachToken) {
	seen := map[string]string{}
	for i, t := range tokens {
		path := joinIndex("attach.tokens", i)
		c.patterns(t.Services, joinKey(path, "services"))
		at := joinKey(path, "token")
		other, twice := seen[t.Token]
		switch {
		case t.Token == "": // said to be required already
		case !isVisible(t.Token):
			c.add(at, "a token has visible ASCII characters only, without spaces")
		case len(t.Token) > maxToken:
			c.add(at, "a token has at most %d characters, this one has %d", maxToken, len(t.Token))
		case twice:
			c.add(at, "is the token of %s already; give that one all the services", other)
		default:
			seen[t.Token] = path
		}
	}
}

func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (c *checker) certificates(certificates []AttachCertificate) {
	seen := map[string]string{}
	for i, cert := range certificates {
		path := joinIndex("attach.certificates", i)
		c.patterns(cert.Services, joinKey(path, "services"))
		at := joinKey(path, "san")
		if cert.SAN == "" {
			continue // said to be required already
		}
		if message := badSAN(cert.SAN); message != "" {
			c.add(at, "%s", message)
			continue
		}
		name := cert.SAN
		if !strings.Contains(name, ":") {
			name = strings.ToLower(name)
		}
		if other, ok := seen[name]; ok {
			c.add(at, "is the name of %s already; give that one all the services", other)
			continue
		}
		seen[name] = path
	}
}

// badSAN tells why no certificate could have the name.
func badSAN(san string) string {
	switch {
	case isIP(san):
		return quote(san) + " is an address; only DNS names and URIs of a certificate are compared"
	case strings.Contains(san, "@") && !strings.Contains(san, ":"):
		return quote(san) + " is a mail address; only DNS names and URIs of a certificate are compared"
	case !strings.Contains(san, ":"):
		return badHostName(strings.TrimPrefix(san, "*."))
	}
	u, err := url.Parse(san)
	host, port, portErr := net.SplitHostPort(san)
	switch {
	case portErr == nil && isPort(port, 0) && badHostName(host) == "":
		return quote(san) + " has a port; certificates have none, write " + host
	case !isVisible(san), err != nil, u.Scheme == "", u.Opaque == "" && u.Host == "" && u.Path == "":
		return quote(san) + " is neither a DNS name nor a URI such as spiffe://example.com/worker"
	case u.String() != san:
		return quote(san) + " is compared as certificates have it; write " + u.String()
	}
	return ""
}

// patterns checks what a credential may serve. An empty list is no use to anybody,
// and said to be required already.
func (c *checker) patterns(patterns []string, path string) {
	for i, pattern := range patterns {
		if message := badPattern(pattern); message != "" {
			c.add(joinIndex(path, i), "%s", message)
		}
	}
}

// badPattern tells what is wrong with a pattern of services: web, shop@v2, shop@*
// or *.
func badPattern(pattern string) string {
	if pattern == "*" {
		return ""
	}
	name, version, versioned := strings.Cut(pattern, "@")
	message := badName(name)
	if message == "" && versioned && version != "*" {
		message = badVersion(version)
	}
	if message != "" {
		return quote(pattern) + " is not a pattern such as web, shop@v2, shop@* or *: " + message
	}
	return ""
}

// badVersion tells what is wrong with a version; it is written as names are.
func badVersion(version string) string { return badNamed("version", version) }

// badNamed tells what is wrong with what is written as names are.
func badNamed(what, name string) string {
	return strings.NewReplacer("a name ", "a "+what+" ", "the name ", "the "+what+" ").Replace(badName(name))
}
