package conn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds waiting for what has to come. Nothing is measured by it.
const patience = 30 * time.Second

// A wiring is one way to make a Conn and what its peer sees.
type wiring struct {
	name string
	// dial returns both ends of a new connection.
	dial func(t *testing.T) (ours, peer net.Conn)
	// halfCloses: CloseWrite reaches the peer, who may go on writing.
	halfCloses bool
	raw        bool
}

var wirings = []wiring{
	{"raw over TCP", dialTCP, true, true},
	{"raw over a Unix socket", dialUnix, true, true},
	{"stream over a pipe", func(*testing.T) (net.Conn, net.Conn) { return net.Pipe() }, false, false},
	{"stream over TLS", dialTLS, true, false},
}

// overEveryWiring runs test once for each way to make a Conn.
func overEveryWiring(t *testing.T, test func(t *testing.T, s wiring)) {
	for _, s := range wirings {
		t.Run(s.name, func(t *testing.T) { test(t, s) })
	}
}

// open returns a Conn with an owner that aborts it when its phase ends, and its
// peer. Both are closed with the test.
func (s wiring) open(t *testing.T) (Conn, net.Conn, *owner) {
	t.Helper()
	return s.openWatched(t, new(Watchdog))
}

func (s wiring) openWatched(t *testing.T, dog *Watchdog) (Conn, net.Conn, *owner) {
	t.Helper()
	ours, peer := s.dial(t)
	o := &owner{ended: make(chan Phase, 64)}
	c := New(ours, dog, o)
	o.conn.Store(&c)
	if _, raw := c.(*Raw); raw != s.raw {
		t.Fatalf("the connection is a %T", c)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = peer.Close()
	})
	return c, peer, o
}

// An owner is an Expirer as server and transport are one.
type owner struct {
	conn  atomic.Pointer[Conn]
	ended chan Phase
}

func (o *owner) Expire(p Phase) {
	o.ended <- p
	if c := o.conn.Load(); c != nil {
		(*c).Abort()
	}
}

func dialTCP(t *testing.T) (ours, peer net.Conn) { return dialVia(t, "tcp", "127.0.0.1:0") }

func dialUnix(t *testing.T) (ours, peer net.Conn) {
	return dialVia(t, "unix", filepath.Join(t.TempDir(), "s"))
}

func dialVia(t *testing.T, network, address string) (ours, peer net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if peer, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, peer
}

func dialTLS(t *testing.T) (ours, peer net.Conn) {
	t.Helper()
	a, b := dialTCP(t)
	server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{certificate()}})
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := client.Handshake(); err != nil {
			t.Errorf("handshake of the client: %v", err)
		}
	})
	if err := server.Handshake(); err != nil {
		t.Fatalf("handshake of the server: %v", err)
	}
	wg.Wait()
	return server, client
}

// certificate is one that nobody has to trust.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// soon fails the test unless done is closed, or receives, while one may wait.
func soon[T any](t *testing.T, what string, done <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-done:
	case <-time.After(patience):
		t.Fatalf("%s: still not, after %v", what, patience)
	}
	return v
}

// eventually fails the test unless holds becomes true while one may wait.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: still not, after %v", what, patience)
		}
	}
}

// start runs f and returns a channel that has its error when it returns.
func start(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}
