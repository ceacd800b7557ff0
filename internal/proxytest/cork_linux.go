package proxytest

import (
	"net"
	"syscall"
)

// cork keeps what is written on c back until its end is: both arrive together then,
// however busy the machine is.
func cork(c net.Conn) error {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1)
	})
	if err != nil {
		return err
	}
	return failed
}
