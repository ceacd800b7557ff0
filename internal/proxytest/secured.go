package proxytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"time"
)

// secured is loopback TCP with TLS on both sides of the proxy, which sees streams
// with a descriptor below them.
type secured struct{ sockets }

// Listen implements Network.
func (s secured) Listen(network, address string) (net.Listener, error) {
	l, err := s.sockets.Listen(network, address)
	if err != nil {
		return nil, err
	}
	c, err := certificate()
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{c}}), nil
}

// Dial implements Network.
func (s secured) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.sockets.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return tls.Client(c, &tls.Config{InsecureSkipVerify: true}), nil
}

// certificate is one that nobody has to trust.
var certificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})
