package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
)

func dialer(l net.Listener) Dialer {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	return Dialer{Address: endpoint.Address{Network: "tcp", Host: host, Port: port}, Timeout: time.Minute}
}

func listenAnd(t *testing.T, serve func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	return l
}

func TestDialer_TellsWhetherConnectingOrTheHandshakeFailed(t *testing.T) {
	refused := listenAnd(t, func(net.Conn) {})
	_ = refused.Close()
	garbage := listenAnd(t, func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		_ = c.Close()
	})
	untrusted := httptest.NewTLSServer(nil)
	defer untrusted.Close()

	plain := dialer(refused)
	_, f := plain.Dial(t.Context())
	wantFailure(t, f, exchange.CodeConnectFailed)
	if f.Sent {
		t.Error("a connection that was refused is said to have carried something")
	}

	speaks := dialer(garbage)
	speaks.TLS = &tls.Config{ServerName: "app"}
	_, f = speaks.Dial(t.Context())
	wantFailure(t, f, exchange.CodeTLSFailed)

	unknown := dialer(untrusted.Listener)
	unknown.TLS = &tls.Config{ServerName: "app"}
	_, f = unknown.Dial(t.Context())
	wantFailure(t, f, exchange.CodeTLSFailed)
}

func TestDialer_BoundsConnectingAndTheHandshake(t *testing.T) {
	for what, connect := range map[string]func(context.Context, string, string) (net.Conn, error){
		"connecting": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"the handshake": func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				for { // takes what is said and never answers
					if _, err := theirs.Read(make([]byte, 1024)); err != nil {
						return
					}
				}
			}()
			return ours, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := Dialer{Address: endpoint.Address{Network: "tcp", Host: "h", Port: "1"}, Timeout: time.Second, TLS: &tls.Config{ServerName: "h"}, Connect: connect}
			began := time.Now()
			_, f := d.Dial(t.Context())
			wantFailure(t, f, exchange.CodeConnectTimeout)
			if took := time.Since(began); took != time.Second {
				t.Errorf("%s was given up after %v, want a second", what, took)
			}
		})
	}
}

// TestDialer_SharesItsTimeAmongAddresses: two that never answer leave time for
// the third.
func TestDialer_SharesItsTimeAmongAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		b.say(nil, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		names := NewNames("app.example", b.lookup)
		defer names.Close()
		synctest.Wait()
		var tried []string
		d := Dialer{Address: endpoint.Address{Network: "tcp", Host: "app.example", Port: "80"}, Timeout: 3 * time.Second, Names: names}
		d.Connect = func(ctx context.Context, _, address string) (net.Conn, error) {
			tried = append(tried, address)
			if len(tried) < 3 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			c, _ := net.Pipe()
			return c, nil
		}
		began := time.Now()
		c, f := d.Dial(t.Context())
		if f != nil {
			t.Fatalf("the third address answers, yet: %v", f)
		}
		_ = c.Close()
		if took := time.Since(began); took != 2*time.Second || tried[0] != "10.0.0.1:80" || tried[2] != "10.0.0.3:80" {
			t.Errorf("it tried %v and took %v, want all three and a second for each that is silent", tried, took)
		}
	})
}

func TestDialer_FailsWithEveryAddressItTried(t *testing.T) {
	b := new(book)
	b.say(nil, "10.0.0.1", "10.0.0.2")
	names := &Names{lookup: b.lookup}
	first, second := errors.New("first refused"), errors.New("second refused")
	d := Dialer{Address: endpoint.Address{Network: "tcp", Host: "app", Port: "80"}, Timeout: time.Minute, Names: names}
	d.Connect = func(_ context.Context, _, address string) (net.Conn, error) {
		if netip.MustParseAddrPort(address).Addr() == netip.MustParseAddr("10.0.0.1") {
			return nil, first
		}
		return nil, second
	}
	_, f := d.Dial(t.Context())
	wantFailure(t, f, exchange.CodeConnectFailed)
	if !errors.Is(f, first) || !errors.Is(f, second) {
		t.Errorf("the failure is %v, want what every address said", f)
	}
}

func TestDialer_DoesNotBlameTheEndpointForOurOwnShortage(t *testing.T) {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
		d := Dialer{Address: endpoint.Address{Network: "tcp", Host: "10.0.0.1", Port: "80"}, Timeout: time.Minute}
		d.Connect = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: shortage}
		}
		_, f := d.Dial(t.Context())
		wantFailure(t, f, exchange.CodeOutOfResources)
		if f.Code.Side == exchange.SideEndpoint {
			t.Errorf("%v is blamed on the endpoint", shortage)
		}
	}
}
