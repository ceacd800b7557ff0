package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func writeCertificate(ts *testscript.TestScript, args []string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: args[0]},
		DNSNames:     []string{args[0]},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(ts.MkAbs(args[1]+".pem"), "CERTIFICATE", cert); err != nil {
		return err
	}
	return writePEM(ts.MkAbs(args[1]+".key"), "PRIVATE KEY", private)
}

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}

func shown(_ *testscript.TestScript, args []string) error {
	return poll(func() error {
		c, err := tls.Dial("tcp", args[0], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		defer c.Close()
		if name := c.ConnectionState().PeerCertificates[0].Subject.CommonName; name != args[1] {
			return fmt.Errorf("the certificate is that of %s, want %s", name, args[1])
		}
		return nil
	})
}

// manager is a service manager as far as NOTIFY_SOCKET goes.
func manager(ts *testscript.TestScript, _ []string) error {
	// A socket's path is short; the script's folder is not.
	dir, err := os.MkdirTemp("", "weir")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		return err
	}
	out, err := os.Create(ts.MkAbs("notify.out"))
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			fmt.Fprintf(out, "%s\n", buf[:n])
		}
	}()
	ts.Defer(func() {
		c.Close()
		<-ended
		out.Close()
		os.RemoveAll(dir)
	})
	ts.Setenv("NOTIFY_SOCKET", path)
	return nil
}
