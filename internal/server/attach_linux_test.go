package server

import (
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// The request fills the buffer to its last byte, so that what follows it is still
// with the system when it is decided about.
func TestAttach_SeesWhatHasNotBeenReadYet(t *testing.T) {
	for what, follow := range map[string]func(*net.TCPConn) error{
		"a byte": func(c *net.TCPConn) error {
			_, err := c.Write([]byte("x"))
			return err
		},
		"the end": func(c *net.TCPConn) error { return c.CloseWrite() },
	} {
		t.Run(what, func(t *testing.T) {
			begun, release := make(chan struct{}), make(chan struct{})
			d := newDoorstep(t, step{server: func(o *Options) {
				o.Handler = exchange.HandlerFunc(func(x *exchange.Exchange) {
					close(begun)
					<-release
					_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1, Reason: []byte("No Content")})
				})
			}})
			client := d.dial(t)
			if _, err := io.WriteString(client.Conn, ordinary); err != nil {
				t.Fatal(err)
			}
			receive(t, "the server has something else to do", begun)
			padding := conn.BufferSize - len(asksWell()) - len("X: \r\n")
			full := strings.TrimSuffix(asksWell(), "\r\n") + "X: " + strings.Repeat("x", padding) + "\r\n\r\n"
			if _, err := io.WriteString(client.Conn, full); err != nil {
				t.Fatal(err)
			}
			tcp := client.Conn.(*net.TCPConn)
			if err := follow(tcp); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all has arrived", func() bool { return unacknowledged(t, tcp) == 0 })
			close(release)
			if a := client.answer(t); a.StatusCode != 204 {
				t.Fatalf("the first request is answered %d", a.StatusCode)
			}
			if a := client.answer(t); a.StatusCode != 400 || a.problem.Error != attach.CodeBadAttach || !a.Close {
				t.Errorf("with %s behind it the request is answered %d, %+v", what, a.StatusCode, a.problem)
			}
		})
	}
}

// unacknowledged returns how much of what was sent the other end's system does not
// have yet.
func unacknowledged(t *testing.T, c *net.TCPConn) (n int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return n
}
