package attach

import (
	"errors"
	"net"
	"sync"
)

// preface is what a client of HTTP/2 begins with (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// A conn is an attached connection, or one that is pending.
//
// On one that HAProxy dialed, the other end has begun as a client and reverses
// with its SETTINGS, so that it takes the router for a server: a preface of the
// router would be an error to it. What the router writes first is left out.
type conn struct {
	net.Conn
	door   *Door
	once   sync.Once
	unsaid string // the rest of the preface that is not to be sent

	// Guarded by door.mu.
	attached  Attached
	handshake *handshake // while pending; else nil
	closed    bool
	why       error // it was closed, if whoever has it cannot know; else nil
}

// ErrRevoked is what Read and Write return once other rules have closed the
// connection.
var ErrRevoked = errors.New("the credential was revoked")

// Read reads. It is the one who has to say why a connection ends.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.reason(err)
}

// reason returns why the connection was closed, if that is more than err says.
func (c *conn) reason(err error) error {
	if err == nil {
		return nil
	}
	c.door.mu.Lock()
	defer c.door.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	return err
}

var errPreface = errors.New("what is written does not begin with the preface of HTTP/2")

// Write writes, less a preface that is not to be sent.
func (c *conn) Write(p []byte) (int, error) {
	left := min(len(c.unsaid), len(p))
	if left > 0 {
		if string(p[:left]) != c.unsaid[:left] {
			return 0, errPreface
		}
		c.unsaid = c.unsaid[left:]
		if left == len(p) {
			return left, nil
		}
	}
	n, err := c.Conn.Write(p[left:])
	return left + n, c.reason(err)
}

// Close closes the connection and tells the door.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.door.forget(c) })
	return err
}
