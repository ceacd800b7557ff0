package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// client is one keep-alive connection of the load generator: at most one request in
// flight, never pipelined.
type client struct {
	fd       descriptor
	stream   stream
	plain    bool   // the stream is the descriptor itself
	out      []byte // of the request being sent
	expected int    // bytes in every answer's body
	left     int    // bytes of the answer still to come; unknown while inHead
	inHead   bool
	head     []byte // of an answer that arrived in parts
	busy     bool
	since    time.Duration // when the request was due, on the loader's clock
	checked  bool          // the Content-Length of the first answer was compared
}

// stream is a descriptor, or TLS over one.
type stream interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
}

// patience bounds connecting and shaking hands, which block.
const patience = 10 * time.Second

var (
	errStatus = errors.New("an answer that is not 2xx")
	errAnswer = errors.New("an answer that is not the endpoint's")
)

// dial connects, blocking, and leaves the connection non-blocking.
func dial(port int, secure *tls.Config, expected int) (*client, error) {
	fd, err := connectLoopback(port)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &client{fd: descriptor(fd), stream: descriptor(fd), plain: secure == nil, expected: expected}
	if secure != nil {
		below := &descriptorConn{descriptor: c.fd, until: time.Now().Add(patience)}
		conn := tls.Client(below, secure)
		if err := conn.Handshake(); err != nil {
			c.close()
			return nil, fmt.Errorf("shake hands: %w", err)
		}
		below.until = time.Time{}
		c.stream = conn
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func connectLoopback(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	limit := unix.NsecToTimeval(int64(patience))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.Connect(fd, loopback(port)))
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (c *client) close() { _ = unix.Close(int(c.fd)) }

// start sends a request that was due at since.
func (c *client) start(request []byte, since time.Duration) error {
	c.out, c.since, c.busy, c.inHead = request, since, true, true
	return c.flush()
}

func (c *client) flush() error {
	for len(c.out) > 0 {
		// TLS never comes back here for more: a tls.Conn does not survive a partial write,
		// but its requests are small and an idle socket takes them whole.
		n, err := c.stream.Write(c.out)
		c.out = c.out[n:]
		if errors.Is(err, errAgain) {
			return nil // an edge tells when there is room
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// receive reads what has arrived, and returns how many bytes of a body that were and
// whether the answer is complete. It stops there, so that no read finds nothing.
func (c *client) receive(buf []byte) (done bool, body int, err error) {
	for {
		n, drained, err := c.read(buf)
		if errors.Is(err, errAgain) {
			return false, body, nil
		}
		if err == nil {
			n, err = c.take(buf, n)
		}
		if err != nil {
			return false, body, err
		}
		body += n
		if !c.inHead && c.left == 0 {
			return true, body, nil
		}
		if drained {
			return false, body, nil
		}
	}
}

// take accounts for n bytes read, and returns how many of them are body.
func (c *client) take(buf []byte, n int) (body int, err error) {
	if !c.busy {
		return 0, errAnswer // nothing was asked
	}
	if c.inHead {
		if n, err = c.takeHead(buf[:n]); err != nil {
			return 0, err
		}
	}
	if n > c.left {
		return 0, errAnswer
	}
	c.left -= n
	return n, nil
}

// headRoom is what is read of a large answer before the rest is discarded unseen.
const headRoom = 2048

// read also tells when the socket is empty for certain, so that what comes later is
// another edge. The bulk of a large plain body is discarded inside the kernel: its content
// costs the load side nothing.
func (c *client) read(buf []byte) (n int, drained bool, err error) {
	switch {
	case !c.plain:
		n, err = c.stream.Read(buf)
		return n, false, err
	case c.busy && !c.inHead:
		n, err = c.fd.discard(bulk)
		return n, n < bulk, err
	case c.expected > len(buf):
		buf = buf[:headRoom]
	}
	n, err = c.fd.Read(buf)
	return n, n < len(buf), err
}

// bulk is more than a socket ever holds here.
const bulk = 64 << 20

// takeHead looks for the end of the head and returns how many bytes of the body follow it.
func (c *client) takeHead(data []byte) (int, error) {
	if c.head != nil {
		data = append(c.head, data...)
	}
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		c.head = bytes.Clone(data)
		return 0, nil
	}
	c.head, c.inHead, c.left = nil, false, c.expected
	if !bytes.HasPrefix(data, []byte("HTTP/1.1 2")) {
		return 0, errStatus
	}
	if !c.checked {
		c.checked = true
		if length, err := answerLength(data[:end+4]); err != nil || length != c.expected {
			return 0, errAnswer
		}
	}
	return len(data) - end - 4, nil
}

func answerLength(head []byte) (int, error) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			return strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	return 0, errUnframed
}

// descriptorConn is the little of a net.Conn that crypto/tls needs.
type descriptorConn struct {
	descriptor
	net.Conn           // nil: nothing else is called
	until    time.Time // of the handshake
}

// Read waits during the handshake: the descriptor blocks, but the runtime's preemption
// signals interrupt it every 10 ms.
func (c *descriptorConn) Read(b []byte) (int, error) {
	for {
		n, err := c.descriptor.Read(b)
		if !errors.Is(err, errAgain) || c.until.IsZero() || time.Now().After(c.until) {
			return n, err
		}
	}
}

func (c *descriptorConn) Write(b []byte) (int, error) { return c.descriptor.Write(b) }
func (c *descriptorConn) Close() error                { return nil }
