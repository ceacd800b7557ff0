package server

import (
	"crypto/tls"
	"net"
	"slices"
)

// The protocols that ALPN chooses from.
const (
	protoReversed = "rh2" // HTTP/2 with its roles swapped, to attach
	protoHTTP1    = "http/1.1"
)

// offerReversed returns a copy of a configuration that offers rh2 before what it
// offers already; nil on nil.
func offerReversed(base *tls.Config) *tls.Config {
	if base == nil {
		return nil
	}
	c := withReversed(base)
	if choose := base.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if err != nil || chosen == nil {
				return nil, err
			}
			return withReversed(chosen), nil
		}
	}
	return c
}

// withReversed returns a copy of a configuration that offers rh2 first. Where none
// was offered, HTTP/1.1 has to be named now: who asks for it would be refused.
func withReversed(base *tls.Config) *tls.Config {
	c := base.Clone()
	others := base.NextProtos
	if len(others) == 0 {
		others = []string{protoHTTP1}
	}
	c.NextProtos = slices.Concat([]string{protoReversed}, others)
	return c
}

// isReversed reports whether ALPN has swapped the roles, and has the connection
// taken over.
func (c *client) isReversed(nc net.Conn) bool {
	t, ok := nc.(*tls.Conn)
	a := c.listener.Attach
	if !ok || a == nil || t.ConnectionState().NegotiatedProtocol != protoReversed {
		return false
	}
	c.attach = func(net.Conn) { a.Reverse(t) }
	return true
}
