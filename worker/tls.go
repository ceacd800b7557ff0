package worker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
)

// tlsFor is the configuration towards a router.
func (o *Options) tlsFor(r router) *tls.Config {
	c := new(tls.Config)
	if o.TLS != nil {
		c = o.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = r.host
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{o.Protocol.alpn()}
	return c
}

// secure begins TLS on a connection.
func (o *Options) secure(ctx context.Context, raw net.Conn, r router) (*tls.Conn, error) {
	c := tls.Client(raw, o.tlsFor(r))
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", r.host, err)
	}
	got, want := c.ConnectionState().NegotiatedProtocol, o.Protocol.alpn()
	if got != want && (o.Protocol != PTTH || got != "") {
		return nil, fmt.Errorf("the router does not speak %v: TLS agreed on protocol %q, not on %q", o.Protocol, got, want)
	}
	return c, nil
}
