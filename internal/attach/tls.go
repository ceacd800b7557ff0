package attach

import "crypto/tls"

// The protocols that a client can choose by ALPN.
const (
	protoReversed = "rh2"
	protoHTTP1    = "http/1.1"
	protoDialed   = "h2"
)

// protocols are in the order of preference: h2 comes last, because ordinary
// clients offer it beside http/1.1 and mean something else by it.
var protocols = []string{protoReversed, protoHTTP1, protoDialed}

// withProtocols returns a copy of a configuration that offers the protocols; nil
// on nil.
func withProtocols(base *tls.Config) *tls.Config {
	if base == nil {
		return nil
	}
	c := base.Clone()
	c.NextProtos = protocols
	if choose := base.GetConfigForClient; choose != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if err != nil || chosen == nil {
				return nil, err
			}
			chosen = chosen.Clone()
			chosen.NextProtos = protocols
			return chosen, nil
		}
	}
	return c
}
