//go:build real

package real

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// quiet drops what servers say of handshakes that fail on purpose.
var quiet = log.New(io.Discard, "", 0)

// serve runs a handler on loopback and returns its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// serveTLS is serve with a certificate, and a configuration besides.
func serveTLS(t *testing.T, p pair, c *tls.Config, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = c.Clone()
	s.TLS.Certificates = []tls.Certificate{p.load(t)}
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// serveOn is serve on a listener.
func serveOn(t *testing.T, l net.Listener, h http.HandlerFunc) {
	t.Helper()
	s := &http.Server{Handler: h}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}

// hello answers with the method, what it was asked for, and a few fields.
func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+"\n")
}

// echo answers with the content that it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Coding", strings.Join(r.TransferEncoding, ","))
	_, _ = w.Write(body)
}

// A killable is an endpoint process on an address of its own.
type killable struct {
	*process
	address string
}

func startKillable(t *testing.T, address string) *killable {
	t.Helper()
	k := &killable{process: start(t, endpointBinary, "-listen", address)}
	k.address = strings.TrimPrefix(k.await(t, "listening on", 1)[0], "listening on ")
	return k
}

func (k *killable) kill() { k.stop(syscall.SIGKILL) }
