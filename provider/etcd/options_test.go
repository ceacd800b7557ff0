package etcd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// wrongs lists the options that an error says are wrong.
func wrongs(t *testing.T, err error) (list []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v joins nothing", err)
	}
	for _, one := range joined.Unwrap() {
		var p *Problem
		if !errors.As(one, &p) || p.Message == "" {
			t.Fatalf("%v is no *Problem", one)
		}
		list = append(list, p.Option)
	}
	return list
}

// certificate writes a certificate and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestNew_PlacesEveryMistake(t *testing.T) {
	cert, key := certificate(t)
	one := []string{"https://a"}
	for name, tc := range map[string]struct {
		o    Options
		want []string
	}{
		"nothing":          {Options{}, []string{"endpoints", "service"}},
		"a slash":          {Options{Endpoints: one, Service: "a/b"}, []string{"service"}},
		"control":          {Options{Endpoints: one, Service: "a\n", Prefix: "\x00"}, []string{"service", "prefix"}},
		"resync":           {Options{Endpoints: one, Service: "a", Resync: -1}, []string{"resync"}},
		"servers":          {Options{Service: "a", Endpoints: []string{"a", "ftp://a", "http://", "http://a:0", "http://a/b", "http://u:p@a", "a:b:c"}}, []string{"endpoints[1]", "endpoints[2]", "endpoints[3]", "endpoints[4]", "endpoints[5]", "endpoints[6]"}},
		"mixed":            {Options{Service: "a", Endpoints: []string{"http://a", "https://b", "c"}}, []string{"endpoints[1]"}},
		"no key":           {Options{Endpoints: one, Service: "a", Cert: cert}, []string{"key"}},
		"no cert":          {Options{Endpoints: one, Service: "a", Key: key}, []string{"cert"}},
		"wrong pair":       {Options{Endpoints: one, Service: "a", Cert: key, Key: cert}, []string{"cert"}},
		"no such ca":       {Options{Endpoints: one, Service: "a", CA: cert + ".not"}, []string{"ca"}},
		"a key for ca":     {Options{Endpoints: one, Service: "a", CA: key}, []string{"ca"}},
		"useless":          {Options{Endpoints: []string{"http://a"}, Service: "a", CA: cert, Cert: cert, Key: key}, []string{"cert", "ca"}},
		"no password":      {Options{Endpoints: one, Service: "a", User: "u"}, []string{"password"}},
		"no user":          {Options{Endpoints: one, Service: "a", Password: "p"}, []string{"user"}},
		"all is well":      {Options{Endpoints: one, Service: "a", User: "u", Password: "p", CA: cert, Cert: cert, Key: key}, nil},
		"least of options": {Options{Endpoints: []string{"a"}, Service: "a"}, nil},
	} {
		_, err := New(tc.o)
		if got := wrongs(t, err); !slices.Equal(got, tc.want) {
			t.Errorf("%s: wrong are %v, want %v: %v", name, got, tc.want, err)
		}
		if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v shows a password", name, err)
		}
	}
}

func TestNew_WritesServersInFull(t *testing.T) {
	cert, key := certificate(t)
	for _, tc := range []struct {
		o    Options
		want string
	}{
		{Options{Endpoints: []string{"a", "http://b:1", "[::1]"}}, "http://a:2379 http://b:1 http://[::1]:2379"},
		{Options{Endpoints: []string{"a:1", "https://b/"}, CA: cert}, "https://a:1 https://b:2379"},
		{Options{Endpoints: []string{"a"}, Cert: cert, Key: key}, "https://a:2379"},
	} {
		tc.o.Service = "web"
		p, err := New(tc.o)
		if err != nil {
			t.Errorf("%v: %v", tc.o.Endpoints, err)
			continue
		}
		if got := strings.Join(p.o.Endpoints, " "); got != tc.want {
			t.Errorf("%v is read as %s, want %s", tc.o.Endpoints, got, tc.want)
		}
	}
}

func TestProvider_PathHasOneSlashBetweenItsParts(t *testing.T) {
	for prefix, want := range map[string]string{"": "/weir/web/", "/": "/web/", "/a/b/": "/a/b/web/", "a": "a/web/"} {
		p, err := New(Options{Endpoints: []string{"a"}, Service: "web", Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.path(); got != want {
			t.Errorf("with prefix %q keys begin with %q, want %q", prefix, got, want)
		}
	}
}

func TestOptions_ShowTheCertificateThatIsThereNow(t *testing.T) {
	cert, key := certificate(t)
	p, err := New(Options{Endpoints: []string{"a"}, Service: "web", Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	config, err := p.o.tls()
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		c, err := config.GetClientCertificate(&tls.CertificateRequestInfo{})
		if err != nil {
			t.Fatal(err)
		}
		return string(c.Certificate[0])
	}
	before := shown()
	newCert, newKey := certificate(t)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if shown() == before {
		t.Error("after the files were replaced the old certificate is shown")
	}
}
