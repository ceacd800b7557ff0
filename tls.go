package weir

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/weirproxy/weir/config"
)

// serverTLS is how a listener proves who it is. Its files can be read again.
type serverTLS struct {
	files   config.ServerTLS
	current atomic.Pointer[tls.Config]
}

// newServerTLS reads the files named at path of the configuration; what is wrong
// with them is noted in found.
func newServerTLS(files config.ServerTLS, path string, found *problems) *serverTLS {
	t := &serverTLS{files: files}
	c, err := t.read()
	if err != nil {
		found.add(path+"."+err.key, err.err)
	}
	t.current.Store(c)
	return t
}

// A keyError is what is wrong with the file that a key names.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }

// Unwrap returns the error without the key.
func (e *keyError) Unwrap() error { return e.err }

func (t *serverTLS) read() (*tls.Config, *keyError) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	for i, f := range t.files.Certificates {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, &keyError{fmt.Sprintf("certificates[%d]", i), err}
		}
		c.Certificates = append(c.Certificates, pair)
	}
	if t.files.ClientCA != "" {
		roots, err := readRoots(t.files.ClientCA)
		if err != nil {
			return nil, &keyError{"client_ca", err}
		}
		c.ClientCAs, c.ClientAuth = roots, tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// serverConfig returns a configuration that follows the files as they were read
// last; nil on nil.
func (t *serverTLS) serverConfig() *tls.Config {
	if t == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return t.current.Load(), nil
		},
	}
}

// askingConfig is serverConfig for who lets in clients without a certificate, too:
// who may do what is decided later, and said in words.
func (t *serverTLS) askingConfig() *tls.Config {
	if t == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c := t.current.Load().Clone()
			if c.ClientAuth == tls.RequireAndVerifyClientCert {
				c.ClientAuth = tls.VerifyClientCertIfGiven
			}
			return c, nil
		},
	}
}

// clientTLS is how endpoints are verified, and what is shown to them.
type clientTLS struct {
	files config.ClientTLS
	host  string
	roots atomic.Pointer[x509.CertPool]
	cert  atomic.Pointer[tls.Certificate]
}

func newClientTLS(files config.ClientTLS, host string) (*clientTLS, *keyError) {
	t := &clientTLS{files: files, host: host}
	roots, cert, err := t.read()
	if err != nil {
		return nil, err
	}
	t.roots.Store(roots)
	t.cert.Store(cert)
	return t, nil
}

func (t *clientTLS) read() (*x509.CertPool, *tls.Certificate, *keyError) {
	var roots *x509.CertPool
	var cert *tls.Certificate
	if t.files.CA != "" {
		r, err := readRoots(t.files.CA)
		if err != nil {
			return nil, nil, &keyError{"ca", err}
		}
		roots = r
	}
	if t.files.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.files.Cert, t.files.Key)
		if err != nil {
			return nil, nil, &keyError{"cert", err}
		}
		cert = &pair
	}
	return roots, cert, nil
}

// config returns a configuration that follows the files as they were read last.
// Certificates are verified by hand, because the roots may change.
func (t *clientTLS) config() *tls.Config {
	name := t.files.ServerName
	if name == "" {
		name = t.host
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ServerName:         name,
		ClientSessionCache: tls.NewLRUClientSessionCache(16),
		InsecureSkipVerify: true, // see verify
		VerifyConnection:   func(s tls.ConnectionState) error { return t.verify(s, name) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if c := t.cert.Load(); c != nil {
				return c, nil
			}
			return new(tls.Certificate), nil
		},
	}
}

// verify does what crypto/tls does by itself when its roots are fixed.
func (t *clientTLS) verify(s tls.ConnectionState, name string) error {
	if t.files.InsecureSkipVerify {
		return nil
	}
	if len(s.PeerCertificates) == 0 {
		return errors.New("the endpoint shows no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots:         t.roots.Load(), // nil: the system's
		Intermediates: between,
		DNSName:       name,
	})
	return err
}

func readRoots(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return pool, nil
}

// prepareReload reads all files again; what it returns takes all of them into use.
func prepareReload(servers []*serverTLS, clients []*clientTLS) (commit func(), err error) {
	var steps []func()
	for _, t := range servers {
		c, err := t.read()
		if err != nil {
			return nil, fmt.Errorf("listener's tls: %w", err)
		}
		steps = append(steps, func() { t.current.Store(c) })
	}
	for _, t := range clients {
		roots, cert, err := t.read()
		if err != nil {
			return nil, fmt.Errorf("tls of endpoint %s: %w", t.host, err)
		}
		steps = append(steps, func() { t.roots.Store(roots); t.cert.Store(cert) })
	}
	return func() {
		for _, step := range steps {
			step()
		}
	}, nil
}
