package attach

import (
	"crypto/x509"
	"net"
)

// A Kind is the door that a connection came in by.
type Kind uint8

// The kinds of doors.
const (
	// Upgraded: by Upgrade: ptth of HTTP/1.1.
	Upgraded Kind = iota
	// Reversed: by ALPN rh2.
	Reversed
	// Dialed: by ALPN h2, as HAProxy dials.
	Dialed
)

// String returns the name of the kind, as it stands in logs.
func (k Kind) String() string {
	switch k {
	case Upgraded:
		return "ptth"
	case Reversed:
		return "rh2"
	case Dialed:
		return "rhttp"
	}
	return "unknown"
}

// An Attached is a connection to a worker, on which the router begins as the
// client of HTTP/2.
type Attached struct {
	Identity Identity
	// Conn yields every byte that follows the handshake, has no deadlines, and is
	// to be closed by whoever it was announced to. It hides the connection's TLS.
	// Read belongs to one goroutine at a time, and Write does; Close to any.
	Conn net.Conn
	Kind Kind
	// Certificate is the client's, verified; nil if there was none.
	Certificate *x509.Certificate
	// Pending says that the worker is yet to be asked who it is: Identity is
	// the zero value then, and the connection closed unless [Door.Identify]
	// succeeds within what is left of the time.
	Pending bool
}
