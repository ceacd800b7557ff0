package cors

import (
	"bytes"
	"fmt"
	"strings"
)

// An origin is one that is listed: exact, or all that are below a name.
type origin struct {
	// before and after are what comes before and after the part that may vary;
	// after is empty in an exact origin.
	before, after string
}

const null = "null"

// parseOrigin reads an origin in the form in which browsers write it (RFC 6454
// §6.1): scheme, host and a port that is not the scheme's own, in lower case.
func parseOrigin(text string) (origin, error) {
	if text == null {
		return origin{before: null}, nil
	}
	scheme, host, ok := strings.Cut(strings.ToLower(text), "://")
	if !ok || scheme == "" || host == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return origin{}, fmt.Errorf("%q is not an origin; write scheme://host or scheme://host:port", text)
	}
	if at := strings.IndexAny(host, "/?#@"); at >= 0 {
		return origin{}, fmt.Errorf("%q is not an origin: there is %q after the host; an origin has no path", text, host[at:])
	}
	if port, own := ownPorts[scheme]; own {
		host = strings.TrimSuffix(host, port)
	}
	rest, wild := strings.CutPrefix(host, "*")
	if !wild {
		rest = host
	}
	if !isHost(rest) || wild && (len(rest) < 2 || rest[0] != '.' || rest[1] == ':') {
		return origin{}, fmt.Errorf("%q is not an origin; a * stands for names below another, as in https://*.example.com, and other alphabets are written in Punycode", text)
	}
	if !wild {
		return origin{before: scheme + "://" + host}, nil
	}
	return origin{before: scheme + "://", after: rest}, nil
}

var ownPorts = map[string]string{"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}

// isHost reports whether all bytes can be in a host with a port, IPv6 addresses
// included.
func isHost(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isNameByte(c) && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return text != ""
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
}

// matches reports whether value, of an Origin field, is the origin, or one below
// it.
func (o *origin) matches(value []byte) bool {
	if o.after == "" {
		return string(value) == o.before
	}
	if len(value) <= len(o.before)+len(o.after) || !bytes.HasPrefix(value, []byte(o.before)) || !bytes.HasSuffix(value, []byte(o.after)) {
		return false
	}
	for _, c := range value[len(o.before) : len(value)-len(o.after)] {
		if !isNameByte(c) {
			return false
		}
	}
	return true
}
