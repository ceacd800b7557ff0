package http1

import (
	"bytes"
	"net/netip"
	"unsafe"

	"github.com/weirproxy/weir/internal/exchange"
)

// checkHost checks the Host field, and takes the request's authority from it
// unless the target had one.
//
// "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
// request message that lacks a Host header field and to any request message
// that contains more than one Host header field line or a Host header field
// with an invalid field value." (RFC 9112 §3.2)
func checkHost(fs *fields, req *exchange.Request) fault {
	if fs.repeated.has(exchange.FieldHost) {
		return faultHostRepeated
	}
	host, found := fs.header.Get(exchange.FieldHost)
	switch {
	case len(host) > 0 && !ValidHost(host):
		return faultHost
	case req.Minor == 0:
	case !found:
		return faultHostMissing
	case len(host) == 0:
		return faultHost
	}
	// "When an origin server receives a request with an absolute-form of
	// request-target, the origin server MUST ignore the received Host header
	// field (if any) and instead use the host information of the
	// request-target." (RFC 9112 §3.2.2)
	if len(req.Authority) == 0 {
		req.Authority = host
	}
	return faultNone
}

// ValidHost reports whether authority is a host with an optional port, without
// user information:
//
//	uri-host [ ":" port ]      (RFC 9110 §7.2)
//
// It is narrower than RFC 3986: of a reg-name only letters, digits and "-._~",
// none of the other punctuation and no percent-encoding. No name in use has
// them, and servers disagree on what they mean (a comma in particular is what
// remains of two Host fields somebody joined).
func ValidHost(authority []byte) bool {
	if len(authority) == 0 {
		return false
	}
	if authority[0] == '[' {
		end := bytes.IndexByte(authority, ']')
		return end > 0 && validIPv6(authority[1:end]) && validPort(authority[end+1:])
	}
	end := charHost.span(authority)
	return end > 0 && validPort(authority[end:])
}

// validPort reports whether b is empty or a colon and a port. An empty port
// ("host:") would be legal, and has no use but to make one host look like two.
func validPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) < 2 || len(b) > 6 {
		return false
	}
	port := 0
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return false
		}
		port = port*10 + int(c-'0')
	}
	return port <= 65535
}

// validIPv6 reports whether b is an IPv6 address without a zone.
func validIPv6(b []byte) bool {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	if len(b) < 2 || len(b) > longest || bytes.IndexByte(b, '%') >= 0 {
		return false
	}
	// A string of the same bytes, which lives no longer than this call: the
	// error, which would keep it, is not looked at, and there is no zone.
	addr, err := netip.ParseAddr(unsafe.String(&b[0], len(b)))
	return err == nil && addr.Is6()
}
