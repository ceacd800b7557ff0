package http2

import (
	"strings"

	"github.com/weirproxy/weir/internal/exchange"
)

// markTrailers marks the fields that are not passed on in a trailer section: those
// that frame, route, authenticate, set conditions or control caches (RFC 9110
// §6.5.1). Who merges trailers into the header would let anybody set them.
func markTrailers(trailer exchange.Header) {
	for i := range trailer {
		trailer[i].Skip = !allowedTrailer(&trailer[i])
	}
}

func allowedTrailer(field *exchange.Field) bool {
	switch field.ID {
	case exchange.FieldOther, exchange.FieldUserAgent, exchange.FieldReferer:
	default:
		return false
	}
	name := string(field.Name)
	return !forbiddenTrailers[name] && !strings.HasPrefix(name, "if-")
}

var forbiddenTrailers = map[string]bool{
	"authorization": true, "proxy-authorization": true, "www-authenticate": true, "proxy-authenticate": true,
	"cookie": true, "set-cookie": true,
	"content-range": true, "range": true, "max-forwards": true, "cache-control": true, "pragma": true,
	"age": true, "expires": true, "location": true, "retry-after": true, "vary": true, "warning": true,
}
