package forwarding

import (
	"bytes"

	"github.com/weirproxy/weir/internal/exchange"
)

// Extras are the fields about forwarding that a route asks for, beside those that
// every request gets. The zero value adds none. It is immutable and safe for
// concurrent use.
type Extras struct {
	// Forwarded adds this hop to the Forwarded field of requests (RFC 7239).
	Forwarded bool
	// Via adds this hop to the Via field of requests and responses (RFC 9110
	// §7.6.3).
	Via bool
	// Pseudonym is what this proxy calls itself, a token; if empty, "weir".
	Pseudonym []byte
}

var (
	nameForwarded    = []byte("Forwarded")
	nameVia          = []byte("Via")
	defaultPseudonym = []byte("weir")
)

func (e *Extras) pseudonym() []byte {
	if len(e.Pseudonym) == 0 {
		return defaultPseudonym
	}
	return e.Pseudonym
}

// Apply adds the fields to the request, after [Policy.Apply], which has dropped
// what nobody may say. It allocates nothing: values that it makes are put into
// x.Scratch.
func (e *Extras) Apply(x *exchange.Exchange) {
	req := &x.Request
	if e.Forwarded {
		at := len(x.Scratch)
		last := lastForwarded(req.Header)
		x.Scratch = e.appendElement(appendList(x.Scratch, last), x)
		req.Header = put(req.Header, last, exchange.Field{Name: nameForwarded, Value: since(x, at), ID: exchange.FieldForwarded})
	}
	if e.Via {
		req.Header = e.via(x, req.Header, req.Minor)
	}
}

// OnResponse adds Via to a response that came from an endpoint. The value lives as
// long as the request.
func (e *Extras) OnResponse(x *exchange.Exchange, resp *exchange.Response) {
	if e.Via {
		resp.Header = e.via(x, resp.Header, resp.Minor)
	}
}

// via adds this hop to Via: "each intermediary … MUST update the field-value", in
// the order in which they pass the message on. The version is that of the message
// as it was received.
//
//	Via = #( received-protocol RWS received-by [ RWS comment ] )
func (e *Extras) via(x *exchange.Exchange, h exchange.Header, minor uint8) exchange.Header {
	at := len(x.Scratch)
	last := lastVia(h)
	x.Scratch = append(appendList(x.Scratch, last), '1', '.', '0'+minor, ' ')
	x.Scratch = append(x.Scratch, e.pseudonym()...)
	return put(h, last, exchange.Field{Name: nameVia, Value: since(x, at)})
}

// lastForwarded and lastVia return the last line of that name that is passed on;
// nil if there is none.
func lastForwarded(h exchange.Header) *exchange.Field {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].ID == exchange.FieldForwarded && !h[i].Skip {
			return &h[i]
		}
	}
	return nil
}

func lastVia(h exchange.Header) *exchange.Field {
	for i := len(h) - 1; i >= 0; i-- {
		if !h[i].Skip && exchange.EqualFold(h[i].Name, nameVia) {
			return &h[i]
		}
	}
	return nil
}

// appendList appends the list that a line has, to be gone on with.
func appendList(dst []byte, line *exchange.Field) []byte {
	if line == nil || len(line.Value) == 0 {
		return dst
	}
	return append(append(dst, line.Value...), ", "...)
}

// since returns what was appended to the scratch memory after at.
func since(x *exchange.Exchange, at int) []byte { return x.Scratch[at:len(x.Scratch):len(x.Scratch)] }

// put makes the value that of the line, or adds a line with it.
func put(h exchange.Header, line *exchange.Field, f exchange.Field) exchange.Header {
	if line == nil {
		return append(h, f)
	}
	line.Value = f.Value
	return h
}

// appendElement appends what this hop has to say (RFC 7239 §4): who the peer is,
// which host it asked for over which protocol, and where.
func (e *Extras) appendElement(dst []byte, x *exchange.Exchange) []byte {
	dst = appendPeer(append(dst, "for="...), x.Client.PeerText)
	if host := x.Request.Authority; len(host) > 0 {
		dst = appendValue(append(dst, ";host="...), host)
	}
	dst = append(dst, ";proto="...)
	if x.Client.TLS {
		dst = append(dst, schemeHTTPS...)
	} else {
		dst = append(dst, schemeHTTP...)
	}
	return e.appendListener(append(dst, ";by="...), x.Client.Listener)
}

// appendPeer appends an address as a node. "an IPv6 address is always enclosed in
// square brackets" and "MUST be quoted" (RFC 7239 §6).
func appendPeer(dst, addr []byte) []byte {
	switch {
	case len(addr) == 0: // a Unix socket
		return append(dst, "unknown"...)
	case bytes.IndexByte(addr, ':') < 0:
		return append(dst, addr...)
	default:
		return append(append(append(dst, `"[`...), addr...), `]"`...)
	}
}

// appendValue appends a token, or anything else as a quoted string.
func appendValue(dst, value []byte) []byte {
	if isToken(value) {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// isToken reports whether value is certainly a token, as host names and IPv4
// addresses are.
func isToken(value []byte) bool {
	for _, c := range value {
		if !isNodeByte(c) {
			return false
		}
	}
	return len(value) > 0
}
