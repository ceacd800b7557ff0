package shape

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newCompiler(t testing.TB) *Compiler {
	t.Helper()
	c, err := New(Options{Hostname: "edge-1", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shared is one for all tests.
var shared *Compiler

func compiler(t testing.TB) *Compiler {
	if shared == nil {
		shared = newCompiler(t)
	}
	return shared
}

// client is a Responder that notes what it was told.
type client struct{ informed []int }

func (c *client) Inform(r *exchange.Response) error {
	c.informed = append(c.informed, r.Status)
	return nil
}
func (c *client) Respond(*exchange.Response) error { return nil }

// header makes fields of lines. Their values lie in memory of their own.
func header(lines ...string) (h exchange.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h = append(h, exchange.Field{Name: []byte(name), Value: []byte(value), ID: http1.FieldIDOf([]byte(name))})
	}
	return h
}

// lines returns the fields that are passed on.
func lines(h exchange.Header) string {
	var b strings.Builder
	for _, f := range h {
		if !f.Skip {
			b.WriteString(string(f.Name) + ": " + string(f.Value) + "\n")
		}
	}
	return b.String()
}

// newExchange makes the exchange of a request without content.
func newExchange(fields ...string) *exchange.Exchange {
	x := &exchange.Exchange{ID: []byte("0192-01"), Responder: &client{}}
	x.Request = exchange.Request{
		MethodName: []byte("GET"), Method: exchange.MethodGet, Authority: []byte("shop.example"),
		Path: []byte("/a/b"), Query: []byte("x=1&y=a%20b&x=2"), HasQuery: true, Minor: 1,
		Header: header(append([]string{"Host: shop.example"}, fields...)...),
	}
	x.Client = exchange.Client{
		Peer: netip.MustParseAddrPort("192.0.2.7:5555"), Addr: netip.MustParseAddr("192.0.2.7"), Listener: ":8080",
	}
	return x
}

// captured is what a route has captured.
func captured(name string) []byte {
	if name == "id" {
		return []byte("42")
	}
	return nil
}

// secured is a connection whose client has shown a certificate.
func secured() *tls.ConnectionState {
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: "ada"}, DNSNames: []string{"a.example"}}
	return &tls.ConnectionState{
		Version: tls.VersionTLS13, ServerName: "shop.example",
		PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}},
	}
}

// withContent gives the request content.
func withContent(x *exchange.Exchange, media string, content []byte) *exchange.Exchange {
	x.Request.MethodName, x.Request.Method = []byte("POST"), exchange.MethodPost
	if media != "" {
		x.Request.Header = append(x.Request.Header, header("Content-Type: "+media)...)
	}
	x.Request.Header = append(x.Request.Header, header("Content-Length: "+itoa(len(content)))...)
	x.Request.Body, x.Request.Length = &arriving{made: made{content: content}, chunk: 7, most: 64 << 10}, int64(len(content))
	return x
}

func itoa(n int) string { return strconv.Itoa(n) }

// arriving is content that arrives in small pieces, as it does from a client or an
// endpoint. What it hands out is overwritten by what follows.
type arriving struct {
	made
	chunk  int
	most   int
	err    error // what comes at its end
	window []byte
	read   int
}

func (s *arriving) Next(wait bool) ([]byte, error) {
	for i := range s.window {
		s.window[i] = '#'
	}
	if s.at == len(s.content) {
		if s.err != nil {
			return nil, s.err
		}
		return nil, io.EOF
	}
	end := min(s.at+s.chunk, len(s.content))
	s.window = append([]byte(nil), s.content[s.at:end]...)
	s.read += end - s.at
	s.at = end
	return s.window, nil
}

func (s *arriving) Keep(n int) { s.most = n }

func (s *arriving) Load() (bool, error) {
	if s.err != nil {
		return false, s.err
	}
	return len(s.content) <= s.most, nil
}

// response makes a response with content.
func response(status int, content []byte, fields ...string) *exchange.Response {
	r := &exchange.Response{Status: status, Minor: 1, Header: header(fields...), Length: int64(len(content))}
	if content != nil {
		r.Body = &arriving{made: made{content: content}, chunk: 7}
	}
	return r
}

// readAll reads content to its end.
func readAll(t testing.TB, b exchange.Body) string {
	t.Helper()
	if b == nil {
		return ""
	}
	var all []byte
	for {
		data, err := b.Next(true)
		all = append(all, data...)
		if err == io.EOF {
			return string(all)
		}
		if err != nil {
			t.Fatalf("the content fails: %v", err)
		}
	}
}

func mustSteps(t testing.TB, request, response []Step) *Program {
	t.Helper()
	p, err := compiler(t).Steps(request, response, false)
	if err != nil {
		t.Fatalf("the steps do not compile: %v", err)
	}
	return p
}

// on runs the request's steps.
func on(t testing.TB, x *exchange.Exchange, steps ...Step) (Verdict, *Program) {
	t.Helper()
	p := mustSteps(t, steps, nil)
	v := Borrow(x)
	defer v.Release()
	verdict, err := p.Request(v)
	if err != nil {
		t.Fatalf("the steps fail: %v", err)
	}
	return verdict, p
}

// onResponse runs the response's steps.
func onResponse(t testing.TB, x *exchange.Exchange, resp *exchange.Response, steps ...Step) *Program {
	t.Helper()
	p := mustSteps(t, nil, steps)
	v := Borrow(x)
	defer v.Release()
	if err := p.Response(v, resp); err != nil {
		t.Fatalf("the steps fail: %v", err)
	}
	return p
}

// evaluate gives the value of an expression as JSON, or its error.
func evaluate(t testing.TB, v *View, text string) string {
	t.Helper()
	scope := RequestSide
	if v.reply != nil {
		scope = ResponseSide
	}
	e, err := compiler(t).Expression(text, scope, Any)
	if err != nil {
		return "does not compile: " + err.Error()
	}
	out, err := e.AppendJSON(nil, v)
	if err != nil {
		return "fails: " + err.Error()
	}
	return string(out)
}

func one(name, expr string) []Named { return []Named{{name, expr}} }

// allErrors returns the Errors within err.
func allErrors(err error) (all []*Error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			all = append(all, allErrors(e)...)
		}
		return all
	}
	var e *Error
	if errors.As(err, &e) {
		all = append(all, e)
	}
	return all
}
