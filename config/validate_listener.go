package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxUnixPath is what fits a socket address on Linux.
const maxUnixPath = 107

// listeners checks every address that the process binds, and that no two are
// the same.
func (c *checker) listeners(cfg *Config) {
	taken := map[string]string{}
	for i, l := range cfg.Listeners {
		path := joinIndex("listeners", i)
		c.address(l.Address, joinKey(path, "address"), taken)
		if l.TLS != nil {
			c.serverTLS(l.TLS, joinKey(path, "tls"))
		}
		for j, token := range l.Upgrades {
			if message := badUpgrade(token); message != "" {
				c.add(joinIndex(joinKey(path, "upgrades"), j), "%s", message)
			}
		}
	}
	c.attach(cfg, taken)
	if !cfg.Admin.Off {
		c.admin(cfg.Admin, taken)
	}
	if cfg.Metrics != nil {
		c.address(cfg.Metrics.Address, "metrics.address", taken)
	}
}

func (c *checker) address(address, path string, taken map[string]string) {
	if address == "" {
		return // said to be required already
	}
	if message := badAddress(address); message != "" {
		c.add(path, "%s", message)
		return
	}
	bound := boundAddress(address)
	if bound == "" {
		return
	}
	if other, ok := taken[bound]; ok {
		c.add(path, "%s is the address of %s already", quote(address), other)
		return
	}
	taken[bound] = path
}

// badAddress tells what is wrong with an address to listen on.
func badAddress(address string) string {
	if file, ok := strings.CutPrefix(address, "unix:"); ok {
		return badUnixPath(file)
	}
	if strings.Contains(address, "://") {
		return quote(address) + " is a URL; write host:port, :port or unix:/path"
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil && isDigits(address):
		return quote(address) + " is a port alone; write :" + address
	case err != nil && !strings.Contains(address, ":"):
		return quote(address) + " has no port; write " + address + ":8080"
	case err != nil:
		return quote(address) + " is not an address; write host:port, :port, [::1]:port or unix:/path"
	case !isPort(port, 0):
		return "the port " + quote(port) + " is not a number up to 65535"
	case host != "" && badHostName(host) != "" && !isIP(host):
		return badHostName(host)
	}
	return ""
}

func badUnixPath(file string) string {
	switch {
	case !strings.HasPrefix(file, "/") || strings.HasPrefix(file, "//"):
		return "a unix socket is written unix:/path, with one slash and the full path"
	case len(file) > maxUnixPath:
		return "the path of a unix socket has at most " + strconv.Itoa(maxUnixPath) + " bytes"
	case strings.ContainsAny(file, "?#\x00"):
		return "the path of a unix socket has no ? and no #"
	}
	return ""
}

func isPort(s string, least int) bool {
	n, err := strconv.Atoi(s)
	return isDigits(s) && err == nil && n >= least && n <= 65535
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// boundAddress is what two addresses have in common if only one of them can be
// bound; empty if any number can.
func boundAddress(address string) string {
	if strings.HasPrefix(address, "unix:") {
		return address
	}
	host, port, _ := net.SplitHostPort(address)
	if n, _ := strconv.Atoi(port); n == 0 {
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
		if ip.IsUnspecified() {
			host = ""
		}
	}
	return net.JoinHostPort(strings.ToLower(host), strings.TrimLeft(port, "0"))
}

// isLoopback tells whether only this machine can reach the address.
func isLoopback(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // said to be wrong already
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func (c *checker) admin(a Admin, taken map[string]string) {
	c.address(a.Address, "admin.address", taken)
	switch {
	case a.Token == "" && !isLoopback(a.Address):
		c.add("admin.token", "is required, because %s can be reached from other machines; write token: ${file:PATH} or ${NAME}", quote(a.Address))
	case !isVisible(a.Token):
		c.add("admin.token", "a token has visible ASCII characters only, without spaces")
	}
	for i, host := range a.Hosts {
		if message := badHost(host); message != "" {
			c.add(joinIndex("admin.hosts", i), "%s", message)
		}
	}
}

func (c *checker) serverTLS(t *ServerTLS, path string) {
	for i, cert := range t.Certificates {
		c.filePath(cert.Cert, joinKey(joinIndex(joinKey(path, "certificates"), i), "cert"))
		c.filePath(cert.Key, joinKey(joinIndex(joinKey(path, "certificates"), i), "key"))
	}
	c.filePath(t.ClientCA, joinKey(path, "client_ca"))
}

// filePath catches the contents of a file where its name is wanted, as after
// ${file:…} in a key that reads the file itself.
func (c *checker) filePath(file, path string) {
	if strings.ContainsAny(file, "\n\x00") {
		c.add(path, "wants the path of a PEM file, not its contents")
	}
}

// badUpgrade tells why a token of the Upgrade field may not pass: those named
// here would give the client a protocol that the proxy can no longer read.
func badUpgrade(token string) string {
	name, _, _ := strings.Cut(strings.ToLower(token), "/")
	switch name {
	case "h2c", "http", "tls", "ptth":
		return quote(token) + " never passes; it would take the connection out of the proxy's sight"
	}
	first, version, hasVersion := strings.Cut(token, "/")
	if !isToken(first) || hasVersion && !isToken(version) {
		return quote(token) + " is not an Upgrade token such as websocket"
	}
	return ""
}
