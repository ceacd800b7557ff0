package http1

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

var (
	rootPath     = []byte("/")
	asteriskPath = []byte("*")
)

// parseTarget splits a request target (RFC 9112 §3.2), whose bytes have all been
// found fit for one, into path, query and, of an absolute one, authority.
func parseTarget(target []byte, req *exchange.Request) fault {
	if target[0] != '/' {
		if len(target) == 1 && target[0] == '*' {
			if req.Method != exchange.MethodOptions {
				return faultAsterisk
			}
			req.Path = target
			return faultNone
		}
		rest, f := parseAbsolute(target, req)
		if f != faultNone {
			return f
		}
		target = rest
	}
	req.Path = target
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		req.Path, req.Query, req.HasQuery = target[:i:i], target[i+1:], true
	}
	if len(req.Path) == 0 {
		req.Path = emptyPath(req)
	}
	return checkPercent(req.Path)
}

// parseAbsolute takes scheme and authority off an absolute-form target, and
// returns what remains: path and query.
func parseAbsolute(target []byte, req *exchange.Request) (rest []byte, f fault) {
	scheme, rest, found := bytes.Cut(target, schemeEnd)
	if !found || !exchange.EqualFold(scheme, "http") && !exchange.EqualFold(scheme, "https") {
		return nil, faultTargetForm
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end:end]
	if bytes.IndexByte(authority, '@') >= 0 {
		// "a recipient SHOULD parse for userinfo and treat its presence as an
		// error" (RFC 9110 §4.2.4)
		return nil, faultUserinfo
	}
	if !ValidHost(authority) {
		return nil, faultHost
	}
	req.Authority = authority
	return rest[end:], faultNone
}

var schemeEnd = []byte("://")

// emptyPath is the path of an absolute-form target that has none: "/", or "*"
// of OPTIONS without a query, for "the last proxy on the request chain MUST
// send a request-target of "*"" (RFC 9112 §3.2.4).
func emptyPath(req *exchange.Request) []byte {
	if req.Method == exchange.MethodOptions && !req.HasQuery {
		return asteriskPath
	}
	return rootPath
}

// checkPercent refuses a path with a percent sign that encodes nothing (RFC 3986
// §2.1): servers disagree on how to decode it. In a query it is common, and
// nobody who decides by it decodes it here.
func checkPercent(path []byte) fault {
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return faultNone
		}
		if path = path[i+1:]; len(path) < 2 || !charHex.has(path[0]) || !charHex.has(path[1]) {
			return faultPercent
		}
	}
}
