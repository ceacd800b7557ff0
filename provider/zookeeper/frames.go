package zookeeper

import (
	"encoding/binary"
	"fmt"
	"net"
)

// The sizes of a message of a server. The client makes room for whatever size it is
// told, and does not look for the least one; behind a wrong port it would take the
// first letters of an answer for a gigabyte.
const (
	minFrame = 16
	maxFrame = 64 << 20
)

// frames is a connection that ends where the other side does not speak ZooKeeper.
type frames struct {
	net.Conn
	head [4]byte // of the message that begins
	have int     // how much of it was read
	left int     // of the content that follows
	err  error
}

func newFrames(c net.Conn) *frames { return &frames{Conn: c} }

// Read implements net.Conn.
func (f *frames) Read(b []byte) (n int, err error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err = f.Conn.Read(b)
	if f.err = f.check(b[:n]); f.err != nil {
		return 0, f.err
	}
	return n, err
}

// check follows the messages.
func (f *frames) check(b []byte) error {
	for len(b) > 0 {
		if f.left > 0 {
			skip := min(f.left, len(b))
			f.left -= skip
			b = b[skip:]
			continue
		}
		n := copy(f.head[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have < len(f.head) {
			return nil
		}
		size := binary.BigEndian.Uint32(f.head[:])
		if size < minFrame || size > maxFrame {
			return fmt.Errorf("a message of %d bytes: this is no ZooKeeper server", size)
		}
		f.have, f.left = 0, int(size)
	}
	return nil
}
