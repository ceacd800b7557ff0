package router

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// maxHost is the longest name that the DNS can carry, as text without the
// final dot (RFC 1035, section 2.3.4). No route has a longer one.
const maxHost = 253

// hosts finds the tree of paths of a host. Every tree knows the tree of the
// next less specific host (node.fallback), so finding one finds them all.
type hosts struct {
	exact    map[string]*node // "shop.example.com"
	wildcard map[string]*node // ".example.com" of "*.example.com"
	any      *node
	longest  int // key of wildcard
}

func newHosts() hosts {
	return hosts{
		exact:    make(map[string]*node),
		wildcard: make(map[string]*node),
		any:      &node{},
	}
}

// find returns the tree of the most specific host that matches what a request
// calls its host, port and all.
func (h *hosts) find(host []byte) *node {
	if len(h.exact)+len(h.wildcard) == 0 {
		return h.any
	}
	host = hostname(host)
	if len(host) > maxHost {
		// No exact name is as long; what is left is enough for a wildcard.
		host = host[len(host)-maxHost-1:]
	}
	for _, c := range host {
		if 'A' <= c && c <= 'Z' {
			return h.findMixedCase(host)
		}
	}
	return h.lookup(host)
}

func (h *hosts) findMixedCase(host []byte) *node {
	var buf [maxHost + 1]byte
	lower := buf[:len(host)]
	for i, c := range host {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return h.lookup(lower)
}

func (h *hosts) lookup(host []byte) *node {
	if tree := h.exact[string(host)]; tree != nil {
		return tree
	}
	return h.lessSpecific(host)
}

// lessSpecific returns the tree of the wildcard with the longest suffix that
// covers the host, or of any host.
func (h *hosts) lessSpecific(host []byte) *node {
	if len(h.wildcard) == 0 {
		return h.any
	}
	for i := 1; i < len(host); i++ {
		if host[i] != '.' || len(host)-i > h.longest {
			continue
		}
		if tree := h.wildcard[string(host[i:])]; tree != nil {
			return tree
		}
	}
	return h.any
}

// tree returns the tree of a host as parseHost gives it, made if need be.
func (h *hosts) tree(host string) *node {
	if host == "" {
		return h.any
	}
	named := h.exact
	if host[0] == '*' {
		host = host[1:]
		named = h.wildcard
		h.longest = max(h.longest, len(host))
	}
	if named[host] == nil {
		named[host] = &node{}
	}
	return named[host]
}

// finish links every tree to the less specific one, and orders their rules.
func (h *hosts) finish() {
	for host, tree := range h.exact {
		tree.fallback = h.lessSpecific([]byte(host))
		tree.finish()
	}
	for suffix, tree := range h.wildcard {
		tree.fallback = h.lessSpecific([]byte(suffix))
		tree.finish()
	}
	h.any.finish()
}

// hostname takes the port, and one final dot, off what a request calls its
// host. What is no port ("example.com:x", or a bare IPv6 address) stays, and
// will match nothing but any.
func hostname(host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i > 0 && isDigits(host[i+1:]) {
		name := host[:i]
		if name[i-1] == ']' || bytes.IndexByte(name, ':') < 0 {
			host = name
		}
	}
	return bytes.TrimSuffix(host, []byte{'.'})
}

func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || '9' < c {
			return false
		}
	}
	return true
}

// parseHost checks what a route calls its host, and returns its normal form:
// in lower case, without a final dot, "" for any.
func parseHost(s string) (string, error) {
	host := strings.ToLower(strings.TrimSuffix(s, "."))
	if s == "" || s == "*" {
		return "", nil
	}
	if strings.HasPrefix(host, "[") {
		return host, checkIPv6(host)
	}
	name := strings.TrimPrefix(host, "*.")
	for i := range len(name) {
		switch c := name[i]; {
		case c == ':':
			return "", errors.New("a port takes no part in matching; an IPv6 address stands in brackets")
		case c == '*':
			return "", errors.New(`"*" stands only as the whole first label`)
		case c >= 0x80:
			return "", errors.New("write an internationalized name in its ASCII form (xn--)")
		case !isAlnum(c) && c != '-' && c != '_' && c != '.':
			return "", fmt.Errorf("%q does not occur in a host", c)
		}
	}
	if strings.Contains("."+name+".", "..") {
		return "", errors.New("a label is empty")
	}
	if len(host) > maxHost {
		return "", fmt.Errorf("longer than %d bytes", maxHost)
	}
	return host, nil
}

func checkIPv6(host string) error {
	address, closed := strings.CutSuffix(host[1:], "]")
	if !closed {
		return errors.New("a port takes no part in matching; an IPv6 address ends with a bracket")
	}
	if ip, err := netip.ParseAddr(address); err != nil || !ip.Is6() || ip.Zone() != "" {
		return errors.New("not an IPv6 address")
	}
	return nil
}
