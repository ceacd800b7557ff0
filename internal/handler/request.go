package handler

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// appendHead appends the head of r as HTTP/1.1 has it, to be parsed like one that
// came over the wire.
func appendHead(dst []byte, r *http.Request) []byte {
	dst = appendClean(dst, methodOf(r), "\r\n")
	dst = append(dst, ' ')
	dst = appendClean(dst, targetOf(r), "\r\n")
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		dst = append(dst, " HTTP/1.0\r\n"...)
	} else {
		dst = append(dst, " HTTP/1.1\r\n"...)
	}
	if host := hostOf(r); host != "" {
		dst = appendField(dst, "Host", host)
	}
	for name, values := range r.Header {
		if isFraming(name) {
			continue
		}
		for _, value := range values {
			dst = appendField(dst, name, value)
		}
	}
	dst = appendFraming(dst, r)
	return append(dst, '\r', '\n')
}

func appendField(dst []byte, name, value string) []byte {
	dst = appendClean(dst, name, ":\r\n")
	dst = append(dst, ": "...)
	dst = appendClean(dst, value, "\r\n")
	return append(dst, '\r', '\n')
}

// appendClean appends a part of a head. A byte that would end the part has got into
// it in some other way than over HTTP/1.1; in its place is NUL, which is refused
// wherever it stands.
func appendClean(dst []byte, part, ends string) []byte {
	at := len(dst)
	dst = append(dst, part...)
	for i, c := range dst[at:] {
		if c <= ':' && strings.IndexByte(ends, c) >= 0 {
			dst[at+i] = 0
		}
	}
	return dst
}

// isFraming reports whether the fields of that name are what net/http has made
// something else of: Host, the lengths, and what announces trailers.
func isFraming(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	default:
		return false
	}
}

// appendFraming appends the fields that say how content follows.
func appendFraming(dst []byte, r *http.Request) []byte {
	switch n := lengthOf(r); {
	case n > 0:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, n, 10)
		dst = append(dst, '\r', '\n')
	case n < 0:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	case len(r.Header["Content-Length"]) > 0:
		dst = append(dst, "Content-Length: 0\r\n"...)
	}
	if len(r.Trailer) == 0 {
		for _, value := range r.Header["Trailer"] {
			dst = appendField(dst, "Trailer", value)
		}
		return dst
	}
	names := make([]string, 0, len(r.Trailer))
	for name := range r.Trailer {
		names = append(names, name)
	}
	slices.Sort(names)
	return appendField(dst, "Trailer", strings.Join(names, ", "))
}

// lengthOf returns the length of the content of r; -1 is unknown.
func lengthOf(r *http.Request) int64 {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return 0
	case r.ContentLength == 0 && r.RequestURI == "":
		return -1 // that is how a client says it; no server has received this
	default:
		return r.ContentLength
	}
}

func methodOf(r *http.Request) string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

func hostOf(r *http.Request) string {
	if r.Host == "" && r.URL != nil {
		return r.URL.Host
	}
	return r.Host
}

// targetOf returns what r asks for: the target as it was received, not decoded and
// encoded again. But if somebody before has changed the URL of r, as
// http.StripPrefix does, it is that.
func targetOf(r *http.Request) string {
	if r.URL == nil || r.RequestURI != "" && isAsReceived(r) {
		return r.RequestURI
	}
	target := r.URL.RequestURI()
	if target[0] != '/' && target != "*" && r.URL.Opaque == "" {
		target = "/" + target
	}
	return target
}

// isAsReceived reports whether the URL of r is still that of its target.
func isAsReceived(r *http.Request) bool {
	target := r.RequestURI
	if r.URL.Host != "" {
		if r.URL.Host != r.Host {
			return false
		}
		_, target, _ = strings.Cut(target, "://")
		if i := strings.IndexAny(target, "/?"); i >= 0 {
			target = target[i:]
		} else {
			target = ""
		}
	}
	if r.Method == http.MethodConnect {
		return true
	}
	path, query, _ := strings.Cut(target, "?")
	return query == r.URL.RawQuery && decodesTo(path, r.URL.Path)
}

// decodesTo reports whether path is escaped, or as it is without its escapes.
func decodesTo(escaped, path string) bool {
	for ; escaped != ""; path = path[1:] {
		if path == "" {
			return false
		}
		c, n := escaped[0], 1
		if c == '%' && len(escaped) > 2 {
			high, low := digit(escaped[1]), digit(escaped[2])
			c, n = high<<4|low, 3
		}
		if c != path[0] {
			return false
		}
		escaped = escaped[n:]
	}
	return path == ""
}

// digit returns the value of a hexadecimal digit; net/http has seen to it that it
// is one.
func digit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
