package config

import (
	"net"
	"strings"
)

// maxRouters bounds what is told to each worker that attaches.
const maxRouters = 32

// routers checks the addresses that workers are told of.
func (c *checker) routers(routers []string) {
	if len(routers) > maxRouters {
		c.add("attach.routers", "has %d routers; at most %d", len(routers), maxRouters)
		return
	}
	seen := map[string]bool{}
	for i, router := range routers {
		at := joinIndex("attach.routers", i)
		if message := badRouter(router); message != "" {
			c.add(at, "%s", message)
		} else if seen[strings.ToLower(router)] {
			c.add(at, "%s is listed twice", quote(router))
		}
		seen[strings.ToLower(router)] = true
	}
}

// badRouter tells what is wrong with the address of a router.
func badRouter(router string) string {
	scheme, rest, hasScheme := strings.Cut(router, "://")
	if !hasScheme {
		scheme, rest = "", router
	}
	const forms = "; write https://host:port or host:port"
	host, port, err := net.SplitHostPort(rest)
	switch {
	case scheme == "http":
		return quote(router) + " is clear text, which workers use on their own user's word only" + forms
	case hasScheme && scheme != "https":
		return "the scheme " + quote(scheme) + " is not that of a router" + forms
	case strings.ContainsAny(rest, "/?#@"):
		return quote(router) + " has more than a host and a port" + forms
	case err != nil && scheme == "https" && (badHostName(rest) == "" || isBracketedIPv6(rest)):
		return "" // the port is that of https
	case err != nil:
		return quote(router) + " is not the address of a router" + forms
	case !isPort(port, 1):
		return "the port " + quote(port) + " is not a number from 1 to 65535"
	case host == "":
		return quote(router) + " has no host; workers elsewhere could not know which is meant"
	case !isIP(host):
		return badHostName(host)
	case strings.Contains(host, "%"):
		return quote(router) + " has a zone, which means something on this machine only"
	}
	return ""
}
