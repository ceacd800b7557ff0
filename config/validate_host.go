package config

import (
	"net"
	"net/netip"
	"strings"
)

// badHostName tells what is wrong with a DNS name. Underscores are let through:
// container networks use them.
func badHostName(host string) string {
	switch {
	case host == "":
		return "the host name is empty"
	case len(host) > 253:
		return "a host name has at most 253 characters"
	case strings.HasSuffix(host, "."):
		return quote(host) + " ends with a dot; leave it out"
	}
	for label := range strings.SplitSeq(host, ".") {
		switch {
		case label == "" || len(label) > 63:
			return quote(host) + " is not a host name: a label has 1 to 63 characters"
		case !onlyOf(label, keyChars):
			return quote(host) + " is not a host name: " + quote(label) + " has other characters than letters, digits and -; write international names in punycode"
		case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
			return quote(host) + " is not a host name: " + quote(label) + " begins or ends with -"
		}
	}
	return ""
}

// badHost tells what is wrong with the value of a Host field: a name or an
// address, with or without a port.
func badHost(host string) string {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if !isPort(port, 1) {
			return "the port in " + quote(host) + " is not a number from 1 to 65535"
		}
		name = h
		if strings.HasPrefix(host, "[") {
			name = "[" + h + "]"
		}
	}
	if isBracketedIPv6(name) {
		return ""
	}
	return badHostName(name)
}

func isBracketedIPv6(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	ip, err := netip.ParseAddr(inner)
	return ok && closed && err == nil && ip.Is6()
}

// badHostPattern tells what is wrong with the host of a match.
func badHostPattern(pattern string) string {
	name, wild := strings.CutPrefix(pattern, "*.")
	_, _, portErr := net.SplitHostPort(pattern)
	switch {
	case pattern == "*":
		return "to match any host, leave host out"
	case strings.Contains(name, "*"):
		return "a * stands only at the front, as in *.example.com"
	case portErr == nil:
		return quote(pattern) + " has a port; the port is not compared, leave it out"
	case !wild && isBracketedIPv6(pattern):
		return ""
	}
	return badHostName(name)
}
