package server

import (
	"io"
	"sync"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// tunnel answers 101 and carries bytes both ways until both sides have ended, or
// nothing has moved for the tunnel's time-out.
func (r *reply) tunnel(resp *exchange.Response) error {
	r.upgraded, r.closing = true, true
	c, x := r.client, &r.client.ws.x
	m := conn.Borrow()
	head := http1.AppendResponseHead(m[:0], resp, http1.Framing{}, &http1.ResponseHead{Minor: x.Request.Minor, Upgrade: true})
	err := r.write(head)
	conn.Return(m)
	if err != nil {
		return err
	}
	t := tunnel{client: c.conn, other: resp.Tunnel}
	t.touch = func() bool { return c.conn.Watch().Begin(conn.PhaseTunnel, x.TunnelTimeout) }
	t.run(c.ws.in.Bytes())
	x.Outcome.RequestBytes += t.up
	x.Outcome.ResponseBytes += t.down
	r.whole = true
	return nil
}

// A tunnel carries bytes between a client and an endpoint that have switched
// protocols. An end of one side is passed on as a half-close; the other side may
// go on.
type tunnel struct {
	client conn.Conn
	other  exchange.Tunnel
	// touch notes that something has moved; false if the tunnel was ended.
	touch    func() bool
	up, down int64
}

// aborter is a tunnel whose waiting can be made to fail.
type aborter interface{ Abort() }

func (t *tunnel) run(ahead []byte) {
	t.touch()
	var both sync.WaitGroup
	both.Go(func() {
		t.down = t.carry(t.client, t.other, nil)
	})
	t.up = t.carry(t.other, t.client, ahead)
	both.Wait()
}

// carry moves bytes from src to dst until src ends, and half-closes dst. When
// either fails, both directions end.
func (t *tunnel) carry(dst halfCloser, src io.Reader, ahead []byte) (n int64) {
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
		if k > 0 && t.touch() {
			if _, werr := dst.Write(m[:k]); werr != nil {
				t.abort()
				return n
			}
			n += int64(k)
			t.touch()
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

func (t *tunnel) abort() {
	t.client.Abort()
	if a, ok := t.other.(aborter); ok {
		a.Abort()
	}
}
