package registry

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// A Trust is the PEM files by which a server is verified, and we are.
type Trust struct {
	// CA has the authorities that may have signed the server's certificate; empty
	// means those of the system.
	CA string
	// Cert and Key are what is shown to the server; both or none.
	Cert, Key string
}

// Check reads the files, for a mistake in them is best told at once. If they have no
// effect, useless says why.
func (t Trust) Check(wrong *Problems, useless string) {
	switch {
	case t.Cert != "" && t.Key == "":
		wrong.Add("key", "is missing beside cert")
	case t.Key != "" && t.Cert == "":
		wrong.Add("cert", "is missing beside key")
	case t.Cert != "" && useless != "":
		wrong.Add("cert", "has no effect: %s", useless)
	case t.Cert != "":
		if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
			wrong.Add("cert", "%v", err)
		}
	}
	switch {
	case t.CA != "" && useless != "":
		wrong.Add("ca", "has no effect: %s", useless)
	case t.CA != "":
		if _, err := readAuthorities(t.CA); err != nil {
			wrong.Add("ca", "%v", err)
		}
	}
}

// Config returns what connections are made with. What is shown is read again for each.
func (t Trust) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		roots, err := readAuthorities(t.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	if t.Cert != "" {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
			return &pair, err
		}
	}
	return config, nil
}

func readAuthorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return roots, nil
}
