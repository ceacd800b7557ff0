package weir

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/weirproxy/weir/config"
)

// A door is one listener for clients.
type door struct {
	address  string
	tls      *serverTLS // nil: clear text
	upgrades []string
	attach   bool // workers may attach here, too
	proxies  []netip.Prefix
	listener net.Listener
}

// newDoors makes the listeners; what is wrong with their certificates is noted in
// found.
func newDoors(c *Config, found *problems) []*door {
	var doors []*door
	for i, l := range c.Listeners {
		d := &door{address: l.Address, upgrades: l.Upgrades, attach: l.Attach}
		if l.ProxyProtocol != nil {
			d.proxies = l.ProxyProtocol.Trusted
		}
		if l.TLS != nil {
			d.tls = newServerTLS(*l.TLS, fmt.Sprintf("listeners[%d].tls", i), found)
		}
		doors = append(doors, d)
	}
	return doors
}

func (d *door) open(f Listen) error {
	l, err := listen(f, "clients", d.address)
	d.listener = l
	return err
}

func (d *door) close() {
	if d.listener != nil {
		_ = d.listener.Close()
	}
}

func (d *door) bound() string { return boundAddress(d.listener, d.address) }

// boundAddress is the address of a listener with the port that it really has.
func boundAddress(l net.Listener, configured string) string {
	if l == nil {
		return configured
	}
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// A ListenError says which listener could not be opened. Its Err is the system's
// own, such as syscall.EADDRINUSE.
type ListenError struct {
	// Role is whom the listener is for: "clients", "attach", "admin" or "metrics".
	Role string
	// Address is as it was configured.
	Address string
	Err     error
}

// Error names the address and what is wrong with it.
func (e *ListenError) Error() string {
	text := "cannot listen on " + e.Address + ": " + e.Err.Error()
	if e.Role != "clients" {
		text = e.Role + ": " + text
	}
	return text
}

// Unwrap returns the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// listen has f open host:port or unix:/path. An error is a *ListenError.
func listen(f Listen, role, address string) (net.Listener, error) {
	network, at := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, at = "unix", path
		if err := removeStaleSocket(path); err != nil {
			return nil, &ListenError{role, address, err}
		}
	}
	l, err := f(network, at)
	if err != nil {
		return nil, &ListenError{role, address, plainCause(err)}
	}
	return l, nil
}

// removeStaleSocket removes a socket that a process which is gone has left
// behind, and nothing else.
func removeStaleSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSocket == 0 {
		return nil // not there, or listening will say what is wrong
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return syscall.EADDRINUSE
	}
	return os.Remove(path)
}

// plainCause takes off an error of package net what is said already (the
// address) or tells a user nothing (the system call).
func plainCause(err error) error {
	if op, ok := err.(*net.OpError); ok { //nolint:errorlint // the outermost one
		err = op.Err
	}
	if call, ok := err.(*os.SyscallError); ok { //nolint:errorlint // likewise
		err = call.Err
	}
	return err
}

// firstTLS returns the settings of the endpoint, else of its service, else none.
func firstTLS(list ...*config.ClientTLS) config.ClientTLS {
	for _, t := range list {
		if t != nil {
			return *t
		}
	}
	return config.ClientTLS{}
}
