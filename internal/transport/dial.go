package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/exchange"
)

// A Dialer opens connections to one endpoint.
type Dialer struct {
	// Address is where it is.
	Address endpoint.Address
	// TLS is how connections are secured; nil is not at all.
	TLS *tls.Config
	// Timeout bounds opening a connection, TLS handshake included.
	Timeout time.Duration
	// Names resolves the host; nil if it is an IP address or a socket, or if
	// Connect resolves names.
	Names *Names
	// Connect connects. If nil, a net.Dialer does.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial opens a connection. The failure says whether connecting or the handshake
// failed, and never that anything was sent.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, *exchange.Failure) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	c, err := d.connect(ctx)
	if err != nil {
		return nil, dialFailure(err)
	}
	if d.TLS == nil {
		return c, nil
	}
	secured := tls.Client(c, d.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		if isTimeout(err) {
			return nil, exchange.Fail(exchange.CodeConnectTimeout, "", err)
		}
		return nil, exchange.Fail(exchange.CodeTLSFailed, "", err)
	}
	return secured, nil
}

func (d *Dialer) connect(ctx context.Context) (net.Conn, error) {
	network, address := d.Address.Dial()
	connect := d.Connect
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	if d.Names == nil {
		return connect(ctx, network, address)
	}
	addrs, err := d.Names.Lookup(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, a := range addrs {
		// Share out the time that is left, so that one address that does not
		// answer cannot use it all up.
		try, cancel := context.WithTimeout(ctx, timeLeft(ctx)/time.Duration(len(addrs)-i))
		c, err := connect(try, network, net.JoinHostPort(a.String(), d.Address.Port))
		cancel()
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Minute
	}
	return time.Until(deadline)
}

func dialFailure(err error) *exchange.Failure {
	switch {
	case isTimeout(err):
		return exchange.Fail(exchange.CodeConnectTimeout, "", err)
	case isOurs(err):
		return exchange.Fail(exchange.CodeOutOfResources, "", err)
	default:
		return exchange.Fail(exchange.CodeConnectFailed, "", err)
	}
}

// isOurs reports whether a connection could not be opened because this machine
// has run out of something. That does not count against the endpoint.
func isOurs(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
