package content

import (
	"io"
	"sync"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// A Tunnel carries bytes between a client and an endpoint that have switched
// protocols. An end of one side is passed on as a half-close; the other side may
// go on.
type Tunnel struct {
	Client conn.Conn
	Other  exchange.Tunnel
	// Touch notes that something has moved; false if the tunnel was ended.
	Touch func() bool
	// Up and Down count the bytes that went to the endpoint and to the client.
	Up, Down int64
}

// aborter is a tunnel whose waiting can be made to fail.
type aborter interface{ Abort() }

// Run carries what the client has sent ahead, and then everything, until both
// sides have ended or the tunnel was.
func (t *Tunnel) Run(ahead []byte) {
	t.Touch()
	var both sync.WaitGroup
	both.Go(func() {
		t.Down = t.carry(t.Client, t.Other, nil)
	})
	t.Up = t.carry(t.Other, t.Client, ahead)
	both.Wait()
}

// carry moves bytes from src to dst until src ends, and half-closes dst. When
// either fails, both directions end.
func (t *Tunnel) carry(dst halfCloser, src io.Reader, ahead []byte) (n int64) {
	if len(ahead) > 0 {
		if _, err := dst.Write(ahead); err != nil {
			t.abort()
			return 0
		}
		n = int64(len(ahead))
	}
	m := conn.Borrow()
	defer conn.Return(m)
	for {
		k, err := src.Read(m[:])
		if k > 0 && t.Touch() {
			if _, werr := dst.Write(m[:k]); werr != nil {
				t.abort()
				return n
			}
			n += int64(k)
			t.Touch()
		}
		if err == io.EOF {
			if dst.CloseWrite() != nil {
				t.abort()
			}
			return n
		}
		if err != nil {
			t.abort()
			return n
		}
	}
}

type halfCloser interface {
	io.Writer
	CloseWrite() error
}

func (t *Tunnel) abort() {
	t.Client.Abort()
	if a, ok := t.Other.(aborter); ok {
		a.Abort()
	}
}
