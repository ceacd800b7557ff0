package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// workspace is where a run finds and leaves its files: everything is below .cache, which
// git ignores.
type workspace struct {
	root string // of the checkout
	bin  string // programs that were built or installed for it
	dir  string // logs, configurations, certificates
}

func newWorkspace() (*workspace, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	w := &workspace{root: root, bin: filepath.Join(root, ".cache", "bin"), dir: filepath.Join(root, ".cache", "bench")}
	if err := errors.Join(os.MkdirAll(w.bin, 0o755), os.MkdirAll(w.dir, 0o755)); err != nil {
		return nil, fmt.Errorf("make the folders of the run: %w", err)
	}
	if err := w.lock(); err != nil {
		return nil, err
	}
	return w, w.writeCertificate()
}

// lock keeps a second run away, which would use the same files and spoil the figures of
// both. The lock ends with this process; children do not inherit it.
func (w *workspace) lock() error {
	fd, err := unix.Open(w.path("lock"), unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("open the lock: %w", err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another run is under way in this checkout: %w", err)
	}
	return nil
}

// moduleRoot is the nearest folder above that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above: run it in the checkout")
		}
		dir = parent
	}
}

func (w *workspace) path(name string) string { return filepath.Join(w.dir, name) }

// writeCertificate makes a certificate for the run (ECDSA P-256, what most sites have), as
// two files, and as the one file that HAProxy wants.
func (w *workspace) writeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench.example"},
		DNSNames: []string{"bench.example", "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return errors.Join(
		os.WriteFile(w.path("site.pem"), certificate, 0o600),
		os.WriteFile(w.path("site.key"), private, 0o600),
		os.WriteFile(w.path("site.bundle.pem"), append(certificate, private...), 0o600))
}

// freePorts picks loopback ports below the range that outgoing connections take theirs
// from, so that the load cannot grab one before its owner has bound it.
func freePorts(n int) ([]int, error) {
	var ports []int
	for port := 18000 + os.Getpid()%4000; port < 32000 && len(ports) < n; port++ {
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		ports = append(ports, port)
	}
	if len(ports) < n {
		return nil, errors.New("not enough free ports")
	}
	return ports, nil
}
