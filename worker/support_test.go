package worker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/internal/transport"
	"github.com/weirproxy/weir/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bound is how long anything may take before a test says that it hangs.
const bound = time.Minute

// A gate is a router as a worker sees it: a door on a real port, and behind it the
// client of HTTP/2.
type gate struct {
	*attach.Door
	t       *testing.T
	address string
	options http2.Options
	// arrived gets every connection that is attached.
	arrived chan *arrival
	count   atomic.Int32
}

// An arrival is an attached connection.
type arrival struct {
	*http2.Conn
	identity attach.Identity
	net      net.Conn
}

var (
	anonymous = attach.Rules{Anonymous: true}
	tokens    = attach.Rules{
		Tokens:       []attach.Token{{Secret: "alpha-token", Services: []string{"web"}}},
		Certificates: []attach.Certificate{{SAN: "worker.example.com", Services: []string{"shop@v2"}}},
	}
)

// openGate opens a gate until the test ends.
func openGate(t *testing.T, o attach.Options, r attach.Rules) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return openGateOn(t, l, o, r)
}

func openGateOn(t *testing.T, l net.Listener, o attach.Options, r attach.Rules) *gate {
	t.Helper()
	g := &gate{t: t, address: l.Addr().String(), arrived: make(chan *arrival, 256)}
	o.Announce = g.announce
	var err error
	if g.Door, err = attach.NewDoor(o, r); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.Serve(l) }()
	t.Cleanup(func() {
		g.Close()
		<-done
	})
	return g
}

func (g *gate) announce(a attach.Attached) error {
	c, err := http2.NewConn(a.Conn, g.options)
	if err != nil {
		return err
	}
	if a.Pending {
		if a.Identity, err = g.identify(a, c); err != nil {
			c.Close()
			<-c.Closed()
			return err
		}
	}
	g.count.Add(1)
	g.arrived <- &arrival{c, a.Identity, a.Conn}
	<-c.Closed()
	return nil
}

// identify asks a worker that came in by ALPN who it is.
func (g *gate) identify(a attach.Attached, c *http2.Conn) (attach.Identity, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	status, content, err := transport.Ask(ctx, c, http.MethodGet, attach.WorkerPath, 16<<10)
	if err != nil || status != http.StatusOK {
		return attach.Identity{}, fmt.Errorf("the worker answered %d (%w)", status, err)
	}
	claim, token, refusal := attach.ReadAnswer(content)
	if refusal != nil {
		return attach.Identity{}, refusal
	}
	return g.Identify(a.Conn, &claim, token)
}

// next returns the next connection that is attached.
func (g *gate) next() *arrival {
	g.t.Helper()
	select {
	case a := <-g.arrived:
		return a
	case <-time.After(bound):
		g.t.Fatal("no worker attaches")
		return nil
	}
}

// A running worker is one Serve on a goroutine.
type running struct {
	t    *testing.T
	stop context.CancelFunc
	done chan error
}

// serve starts a worker, which is stopped at the end of the test.
func serve(t *testing.T, o worker.Options, h http.Handler) *running {
	t.Helper()
	return run(t, func(ctx context.Context) error { return worker.Serve(ctx, o, h) })
}

func run(t *testing.T, serve func(context.Context) error) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.done:
			r.done <- err
		case <-time.After(2 * bound):
			t.Error("Serve does not return after its context has ended")
		}
	})
	return r
}

// end stops the worker and returns what Serve does.
func (r *running) end() error {
	r.t.Helper()
	r.stop()
	return r.wait()
}

func (r *running) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(2 * bound):
		r.t.Fatal("Serve does not return after its context has ended")
		return nil
	}
}

// hello answers with what was asked for.
func hello(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, body)
}

// answer is what came of a request.
type answer struct {
	status  int
	body    string
	failure *exchange.Failure // of the round trip; the body's is in err
	err     error
}

// newExchange makes a request as the router sends it.
func newExchange(method, path string, fields ...string) *exchange.Exchange {
	x := &exchange.Exchange{Responder: discard{}, Gone: new(atomic.Bool), Deadline: exchange.Now() + bound}
	x.Outcome.Attempts = 1
	x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Authority: []byte("example.org"), Path: []byte(path), Minor: 1,
	}
	for i := 0; i < len(fields); i += 2 {
		x.Request.Header = append(x.Request.Header, exchange.Field{
			Name: []byte(fields[i]), Value: []byte(fields[i+1]), ID: http1.FieldIDOf([]byte(fields[i])),
		})
	}
	return x
}

type discard struct{}

func (discard) Inform(*exchange.Response) error  { return nil }
func (discard) Respond(*exchange.Response) error { return nil }

// ask sends a request and reads the whole answer.
func ask(c *http2.Conn, method, path string, fields ...string) answer {
	return exchangeOver(c, newExchange(method, path, fields...))
}

func exchangeOver(c *http2.Conn, x *exchange.Exchange) (a answer) {
	var s http2.Stream
	if a.failure = c.RoundTrip(x, &s); a.failure != nil {
		return a
	}
	defer s.Close(x)
	a.status = s.Response.Status
	for body := s.Response.Body; body != nil; {
		data, err := body.Next(true)
		a.body += string(data)
		if err != nil {
			if err != io.EOF {
				a.err = err
			}
			break
		}
	}
	return a
}

// expect asks, and checks the answer.
func expect(t *testing.T, c *http2.Conn, method, path, body string) {
	t.Helper()
	if a := ask(c, method, path); a.failure != nil || a.err != nil || a.status != 200 || a.body != body {
		t.Errorf("%s %s is answered with %d %q (%v, %v), not with 200 %q", method, path, a.status, a.body, a.failure, a.err, body)
	}
}

// content is the content of a request: what is there now, and what comes later.
type content struct {
	now   []byte
	later chan []byte // nil if that is all; closed at the end
	stop  chan struct{}
	once  sync.Once
}

func newContent(now string, later chan []byte) *content {
	return &content{now: []byte(now), later: later, stop: make(chan struct{})}
}

func (b *content) Next(wait bool) ([]byte, error) {
	if now := b.now; len(now) > 0 {
		b.now = nil
		return now, nil
	}
	if b.later == nil {
		return nil, io.EOF
	}
	if !wait {
		return nil, nil
	}
	select {
	case data, ok := <-b.later:
		if !ok {
			b.later = nil
			return nil, io.EOF
		}
		return data, nil
	case <-b.stop:
		return nil, http1.ErrInterrupted
	}
}

func (b *content) Trailer() exchange.Header   { return nil }
func (b *content) Keep(int)                   {}
func (b *content) Load() (bool, error)        { return false, nil }
func (b *content) Fork() exchange.RequestBody { return b }
func (b *content) Rewind() bool               { return false }
func (b *content) Interrupt()                 { b.once.Do(func() { close(b.stop) }) }

// An authority signs certificates for one test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	roots       *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{roots: x509.NewCertPool()}
	a.certificate, a.key = a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	a.roots.AddCert(a.certificate)
	return a
}

func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// issue returns a certificate for a server or a client of that name.
func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	certificate, key := a.sign(t, &x509.Certificate{
		DNSNames:    []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
}

// server is the configuration of a router.
func (a *authority) server(t *testing.T) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{a.issue(t, "localhost")},
		ClientCAs:    a.roots, ClientAuth: tls.VerifyClientCertIfGiven,
	}
}

// client is the configuration of a worker, with a certificate of that name if
// there is one.
func (a *authority) client(t *testing.T, name string) *tls.Config {
	c := &tls.Config{RootCAs: a.roots, ServerName: "localhost"}
	if name != "" {
		c.Certificates = []tls.Certificate{a.issue(t, name)}
	}
	return c
}
