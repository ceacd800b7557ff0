// Package forwarding tells endpoints who the client is, and keeps clients from
// telling it themselves: X-Forwarded-For, -Proto, -Host and X-Request-Id, and
// where a route asks for them ([Extras]), Forwarded (RFC 7239) and Via (RFC 9110
// §7.6.3).
//
// From a peer that is not trusted, everything that an endpoint could mistake for
// such a field is dropped, in every spelling, and the three are set anew. From a
// trusted peer, For is appended to and the others are kept. The client's address
// is the rightmost one in X-Forwarded-For that is not trusted itself.
package forwarding

import (
	"bytes"
	"net/netip"
	"strings"
	"unsafe"

	"github.com/weirproxy/weir/internal/exchange"
)

// maxRequestID bounds an X-Request-Id that is kept.
const maxRequestID = 128

// A Policy says which peers are believed. The zero value trusts nobody. It is
// immutable and safe for concurrent use.
type Policy struct {
	// Trusted are the networks of the proxies in front of this one.
	Trusted []netip.Prefix
}

var (
	nameFor       = []byte("X-Forwarded-For")
	nameProto     = []byte("X-Forwarded-Proto")
	nameHost      = []byte("X-Forwarded-Host")
	nameRequestID = []byte("X-Request-Id")
	schemeHTTP    = []byte("http")
	schemeHTTPS   = []byte("https")
)

// Apply rewrites the request's fields and fills in x.Client.Addr and
// x.ClientRequestID. It allocates nothing: values that it makes are put into
// x.Scratch.
func (p *Policy) Apply(x *exchange.Exchange) {
	x.Client.Addr = x.Client.Peer.Addr()
	x.ClientRequestID = nil
	var got received
	if p.trusts(x.Client.Addr) {
		p.believe(x, &got)
	} else {
		drop(x.Request.Header)
	}
	p.set(x, &got)
}

func (p *Policy) trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // no network contains an address with a zone
	for _, t := range p.Trusted {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// received is what a trusted peer has told.
type received struct {
	lastFor         *exchange.Field
	proto, host, id bool
}

// drop takes away what a peer that is not trusted says about itself.
func drop(h exchange.Header) {
	for i := range h {
		switch h[i].ID {
		case exchange.FieldXForwardedFor, exchange.FieldXForwardedProto, exchange.FieldXForwardedHost,
			exchange.FieldForwarded, exchange.FieldForwardedAlias, exchange.FieldXRequestID:
			h[i].Skip = true
		}
	}
}

// believe reads what a trusted peer says.
func (p *Policy) believe(x *exchange.Exchange, got *received) {
	h := x.Request.Header
	for i := range h {
		f := &h[i]
		switch f.ID {
		case exchange.FieldXForwardedFor:
			f.Skip = false // whatever Connection says of it
			got.lastFor = f
		case exchange.FieldXForwardedProto:
			got.proto, f.Skip = true, false
		case exchange.FieldXForwardedHost:
			got.host, f.Skip = true, false
		case exchange.FieldForwarded:
			f.Skip = false
		case exchange.FieldXRequestID:
			got.id = p.keepID(x, f, got.id)
		case exchange.FieldForwardedAlias:
			// Underscores and the like: no proxy writes them so.
			f.Skip = bytes.IndexByte(f.Name, '_') >= 0
		}
	}
	if got.lastFor != nil {
		p.findClient(x)
	}
}

// keepID keeps an X-Request-Id that is one, once.
func (p *Policy) keepID(x *exchange.Exchange, f *exchange.Field, already bool) bool {
	if already || !visible(f.Value) {
		f.Skip = true
		return already
	}
	f.Skip = false
	x.ClientRequestID = f.Value
	return true
}

func visible(v []byte) bool {
	if len(v) == 0 || len(v) > maxRequestID {
		return false
	}
	for _, c := range v {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// findClient walks all X-Forwarded-For fields from the right to the first
// address that is not trusted, or that is none.
func (p *Policy) findClient(x *exchange.Exchange) {
	h := x.Request.Header
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].ID != exchange.FieldXForwardedFor {
			continue
		}
		rest := h[i].Value
		for len(rest) > 0 {
			var item []byte
			if comma := bytes.LastIndexByte(rest, ','); comma >= 0 {
				item, rest = rest[comma+1:], rest[:comma]
			} else {
				item, rest = rest, nil
			}
			addr, ok := parseAddr(bytes.TrimSpace(item))
			if !ok {
				return
			}
			x.Client.Addr = addr
			if !p.trusts(addr) {
				return
			}
		}
	}
}

// parseAddr reads an address: bare, in brackets, or with a port. Its shape says
// which, so that nothing is tried that ends in an error, which would allocate.
func parseAddr(item []byte) (netip.Addr, bool) {
	if len(item) == 0 || len(item) > 64 {
		return netip.Addr{}, false
	}
	// The text does not outlive this call, except in errors, which are dropped.
	text := unsafe.String(unsafe.SliceData(item), len(item))
	last := len(text) - 1
	var a netip.AddrPort
	var err error
	switch {
	case text[0] == '[' && text[last] == ']':
		a, err = bare(text[1:last])
		if !a.Addr().Is6() {
			return netip.Addr{}, false
		}
	case text[0] == '[', strings.Count(text, ":") == 1:
		a, err = netip.ParseAddrPort(text)
	default:
		a, err = bare(text)
	}
	return a.Addr().Unmap().WithZone(""), err == nil
}

func bare(text string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(text)
	return netip.AddrPortFrom(a, 0), err
}

// set adds the fields that are missing.
func (p *Policy) set(x *exchange.Exchange, got *received) {
	req := &x.Request
	switch peer := x.Client.PeerText; {
	case len(peer) == 0: // a Unix socket has no address
	case got.lastFor != nil && len(got.lastFor.Value) == 0:
		got.lastFor.Value = peer
	case got.lastFor != nil:
		at := len(x.Scratch)
		x.Scratch = append(append(append(x.Scratch, got.lastFor.Value...), ", "...), peer...)
		got.lastFor.Value = x.Scratch[at:len(x.Scratch):len(x.Scratch)]
	default:
		req.Header = append(req.Header, exchange.Field{Name: nameFor, Value: peer, ID: exchange.FieldXForwardedFor})
	}
	if !got.proto {
		scheme := schemeHTTP
		if x.Client.TLS {
			scheme = schemeHTTPS
		}
		req.Header = append(req.Header, exchange.Field{Name: nameProto, Value: scheme, ID: exchange.FieldXForwardedProto})
	}
	if !got.host && len(req.Authority) > 0 {
		req.Header = append(req.Header, exchange.Field{Name: nameHost, Value: req.Authority, ID: exchange.FieldXForwardedHost})
	}
	if !got.id {
		req.Header = append(req.Header, exchange.Field{Name: nameRequestID, Value: x.ID, ID: exchange.FieldXRequestID})
	}
}
