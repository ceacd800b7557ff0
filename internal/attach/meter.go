package attach

import (
	"errors"
	"net"
)

// handshakeBytes bounds what a connection may send until it is announced, the
// TLS handshake included: certificates take most of it.
const handshakeBytes = 64 << 10

var errTooMuch = errors.New("the handshake has more than 64 KiB")

// A meter bounds how many bytes a connection can bring.
type meter struct {
	net.Conn
	left   int
	lifted bool
}

// Read reads, up to the bound.
func (m *meter) Read(p []byte) (int, error) {
	if m.lifted {
		return m.Conn.Read(p)
	}
	if m.left == 0 {
		return 0, errTooMuch
	}
	n, err := m.Conn.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// lift ends the bound. Nobody may be in Read.
func (m *meter) lift() { m.lifted = true }
