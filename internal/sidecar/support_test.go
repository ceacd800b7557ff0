package sidecar

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// soon is how long anything may take that is to happen. It is only ever used up
// by a test that fails.
const soon = 20 * time.Second

// A router is the other side of a sidecar: a client of HTTP/2.
type router struct {
	url    string
	client *http.Transport
	local  *Handler
}

// attach serves requests from the local server behind a real HTTP/2 server, and
// returns who can send some.
func attach(t *testing.T, target string, o Options) *router {
	t.Helper()
	parsed, err := ParseTarget(target)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	h := New(parsed, o)
	h.ordinary.IdleConnTimeout = 0 // tests say themselves when connections end
	t.Cleanup(h.Close)
	return &router{serveHTTP2(t, h), newClient(t), h}
}

func newClient(t *testing.T) *http.Transport {
	client := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	client.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// serveHTTP2 serves HTTP/2 in clear text, and returns the URL.
func serveHTTP2(t *testing.T, h http.Handler) string {
	// OPTIONS * is the local server's to answer.
	s := &http.Server{Protocols: new(http.Protocols), DisableGeneralOptionsHandler: true}
	s.Protocols.SetUnencryptedHTTP2(true)
	return "http://" + serve(t, s, h)
}

// serveHTTP1 serves HTTP/1.1, and returns the address.
func serveHTTP1(t *testing.T, h http.HandlerFunc) string {
	return serve(t, new(http.Server), h)
}

func serve(t *testing.T, s *http.Server, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = h
	serveOn(t, ln, s)
	return ln.Addr().String()
}

// request makes one without any fields but those given.
func (r *router) request(t *testing.T, method, path string, body io.Reader, fields ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url, body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(path, "//") {
		req.URL.Path = path
	} else {
		req.URL.Opaque = path
	}
	req.Host = "shop.example"
	req.Header["User-Agent"] = nil
	for i := 0; i < len(fields); i += 2 {
		req.Header[fields[i]] = append(req.Header[fields[i]], fields[i+1])
	}
	return req
}

// send sends a request that reaches the local server on a new connection; its
// response is closed with the test.
func (r *router) send(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	r.local.Close()
	resp, err := r.client.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s is not answered: %v", req.Method, req.URL, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// get returns the response and its content.
func (r *router) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	resp := r.send(t, r.request(t, "GET", path, nil))
	return resp, content(t, resp)
}

func content(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("the content breaks off after %q: %v", text, err)
	}
	return string(text)
}

// problem checks that a response is a problem document with that error.
func problem(t *testing.T, resp *http.Response, status int, code string) {
	t.Helper()
	text := content(t, resp)
	var doc struct{ Error string }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Errorf("status %d has no document: %v\n%s", resp.StatusCode, err, text)
	}
	if resp.StatusCode != status || doc.Error != code || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the answer is %d %q (%s), want %d %q", resp.StatusCode, doc.Error, resp.Header.Get("Content-Type"), status, code)
	}
}

// A rawServer is a local server of which the test writes every byte.
type rawServer struct {
	net.Listener
}

func listenRaw(t *testing.T) *rawServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(soon))
	t.Cleanup(func() { ln.Close() })
	return &rawServer{ln}
}

func (s *rawServer) url() string { return "http://" + s.Addr().String() }

// accept returns the next connection.
func (s *rawServer) accept(t *testing.T) *rawConn {
	t.Helper()
	c, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(soon))
	return &rawConn{c, bufio.NewReader(c)}
}

// serveOne answers one request with text, and hands out the head that came.
func (s *rawServer) serveOne(t *testing.T, text string) <-chan string {
	heads := make(chan string, 1)
	go func() {
		defer close(heads)
		c, err := s.Accept()
		if err != nil {
			return // the test is over
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(soon))
		raw := &rawConn{c, bufio.NewReader(c)}
		head, err := raw.readHead()
		if err != nil {
			t.Errorf("no request arrives: %v", err)
		}
		heads <- head
		_, _ = io.WriteString(c, text)
	}()
	return heads
}

type rawConn struct {
	net.Conn
	in *bufio.Reader
}

func (c *rawConn) readHead() (string, error) {
	var head strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

// head reads a request up to the empty line.
func (c *rawConn) head(t *testing.T) string {
	t.Helper()
	head, err := c.readHead()
	if err != nil {
		t.Fatalf("the request ends after %q: %v", head, err)
	}
	return head
}

// reads checks that these bytes come next.
func (c *rawConn) reads(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.in, got); err != nil || string(got) != want {
		t.Fatalf("the local server reads %q (%v), want %q", got[:n], err, want)
	}
}

// ends checks that the connection ends.
func (c *rawConn) ends(t *testing.T) {
	t.Helper()
	text, err := io.ReadAll(c.in)
	if e, ok := err.(net.Error); ok && e.Timeout() || len(text) > 0 {
		t.Errorf("the local server reads %q (%v), want the end", text, err)
	}
}

func (c *rawConn) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate writes a certificate of localhost and its key into dir.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "key.pem"), private, 0o600)
}

// trusted returns that certificate.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	dir := os.Getenv(prepared)
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}
