package transport

import (
	"crypto/tls"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A wiring is one way in which the endpoint is reached.
type wiring struct {
	name string
	over func(t *testing.T, o Options, serve func(*fakeConn), test func(t *testing.T, f *fake, tr *HTTP1))
}

var wirings = []wiring{
	{"raw over TCP", func(t *testing.T, o Options, serve func(*fakeConn), test func(*testing.T, *fake, *HTTP1)) {
		f := newFake(serve)
		test(t, f, f.overTCP(t, o))
	}},
	{"stream over a pipe", inBubble},
	{"stream over TLS", func(t *testing.T, o Options, serve func(*fakeConn), test func(*testing.T, *fake, *HTTP1)) {
		o.Dialer.TLS = &tls.Config{InsecureSkipVerify: true}
		inBubble(t, o, func(c *fakeConn) { c.secure(serve) }, test)
	}},
}

func overEveryWiring(t *testing.T, o Options, serve func(*fakeConn), test func(t *testing.T, f *fake, tr *HTTP1)) {
	for _, w := range wirings {
		t.Run(w.name, func(t *testing.T) { w.over(t, o, serve, test) })
	}
}

// certificate is one that nobody has to trust.
var certificate = sync.OnceValue(func() tls.Certificate {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.TLS.Certificates[0]
})

// secure plays a connection inside TLS. There are no tickets, because a pipe holds
// nothing that is not read.
func (c *fakeConn) secure(serve func(*fakeConn)) {
	s := tls.Server(c.Conn, &tls.Config{Certificates: []tls.Certificate{certificate()}, SessionTicketsDisabled: true})
	if s.Handshake() == nil {
		serve(c.fake.conn(s, c.number))
	}
}

// soon fails the test unless done receives while one may wait.
func soon[T any](t *testing.T, what string, done <-chan T) (v T) {
	t.Helper()
	const patience = 30 * time.Second
	select {
	case v = <-done:
	case <-time.After(patience):
		t.Fatalf("%s: still not, after %v", what, patience)
	}
	return v
}

// begin makes a round trip in the background.
func begin(tr *HTTP1, x *exchange.Exchange, c *Call) <-chan *exchange.Failure {
	ended := make(chan *exchange.Failure, 1)
	go func() { ended <- tr.RoundTrip(x, c) }()
	return ended
}
