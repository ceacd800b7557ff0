package worker_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// raw is a router that is played frame by frame.
type raw struct {
	address string
	conns   chan net.Conn
}

// accept hands out the connections of a listener, until the test ends.
func accept(t *testing.T, l net.Listener, handshake func(net.Conn) error) *raw {
	t.Helper()
	r := &raw{address: l.Addr().String(), conns: make(chan net.Conn, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if err := handshake(c); err != nil {
				_ = c.Close()
				continue
			}
			r.conns <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for len(r.conns) > 0 {
			_ = (<-r.conns).Close()
		}
	})
	return r
}

// acceptReversed is a router by ALPN rh2.
func acceptReversed(t *testing.T, ca *authority) *raw {
	t.Helper()
	cfg := ca.server(t)
	cfg.NextProtos = []string{"rh2"}
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	return accept(t, l, func(c net.Conn) error { return c.(*tls.Conn).Handshake() })
}

// acceptUpgraded is a router that answers every request to attach with text.
func acceptUpgraded(t *testing.T, text string) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return accept(t, l, func(c net.Conn) error {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return err
		}
		_, err := io.WriteString(c, text)
		return err
	})
}

const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n\r\n"

// frames are the frames of a connection, written and read by hand.
type frames struct {
	net.Conn
	r   *bufio.Reader
	enc *hpack.Encoder
	buf bytes.Buffer
}

// begin speaks as the client of HTTP/2 on the next connection.
func (r *raw) begin(t *testing.T) *frames {
	t.Helper()
	f := r.accepted(t)
	if _, err := io.WriteString(f, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	f.write(t, frameSettings, 0, 0, nil)
	return f
}

// accepted returns the next connection, on which nothing was said.
func (r *raw) accepted(t *testing.T) *frames {
	t.Helper()
	select {
	case c := <-r.conns:
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(bound))
		f := &frames{Conn: c, r: bufio.NewReader(c)}
		f.enc = hpack.NewEncoder(&f.buf)
		return f
	case <-time.After(bound):
		t.Fatal("no worker comes")
		return nil
	}
}

const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagAck, flagEndStream, flagEndHeaders = 0x1, 0x1, 0x4
)

func (f *frames) write(t *testing.T, kind, flags byte, stream uint32, payload []byte) {
	t.Helper()
	n := len(payload)
	head := binary.BigEndian.AppendUint32([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, stream)
	if _, err := f.Write(append(head, payload...)); err != nil {
		t.Fatal(err)
	}
}

func (f *frames) read(t *testing.T) (kind, flags byte, stream uint32, payload []byte) {
	t.Helper()
	var head [9]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		t.Fatalf("the worker has ended the connection: %v", err)
	}
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(f.r, payload); err != nil {
		t.Fatalf("the worker has ended the connection within a frame: %v", err)
	}
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]), payload
}

// await returns the next frame of a kind.
func (f *frames) await(t *testing.T, kind byte) (flags byte, stream uint32, payload []byte) {
	t.Helper()
	for {
		if k, flags, stream, payload := f.read(t); k == kind {
			return flags, stream, payload
		}
	}
}

func (f *frames) block(fields ...string) []byte {
	f.buf.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	return bytes.Clone(f.buf.Bytes())
}

// request sends a request without content.
func (f *frames) request(t *testing.T, stream uint32, fields ...string) {
	t.Helper()
	f.write(t, frameHeaders, flagEndHeaders|flagEndStream, stream, f.block(fields...))
}
