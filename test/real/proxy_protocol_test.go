//go:build real

package real

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// HAProxy passes bytes on and says whose they are, in either version, to a plain
// listener, through TLS and over a Unix socket, and looks whether Weir is there.
func TestProxyProtocol_HAProxySaysWhoTheClientIs(t *testing.T) {
	const client = "127.0.0.77"
	ca := newAuthority(t)
	site := ca.issue(t, "site.example")
	dir := socketDir(t)
	socket := filepath.Join(dir, "weir.sock")
	w := startWeir(t, fmt.Sprintf(`
listeners:
  - { address: "127.0.0.1:0", proxy_protocol: { trusted: [127.0.0.1] } }
  - { address: "127.0.0.1:0", tls: { certificates: [{ cert: %q, key: %q }] }, proxy_protocol: { trusted: [127.0.0.1] } }
  - { address: "unix:%s", proxy_protocol: { trusted: [127.0.0.1] } }
services: { default: { endpoints: [%q] } }
`, site.cert, site.key, socket, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-For"))
	})))
	ways := []struct{ name, to, scheme string }{
		{"v1", w.addresses[0] + " send-proxy", "http"},
		{"v2", w.addresses[0] + " send-proxy-v2", "http"},
		{"tls", w.addresses[1] + " send-proxy-v2", "https"},
		{"socket", "unix@" + socket + " send-proxy-v2", "http"},
	}
	var config strings.Builder
	config.WriteString("defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n")
	at := map[string]string{}
	for _, way := range ways {
		at[way.name] = vacant(t)
		_, _ = fmt.Fprintf(&config, "listen %s\n  bind %s\n  source 127.0.0.1\n  server weir %s check inter 100ms\n", way.name, at[way.name], way.to)
	}
	path := filepath.Join(dir, "haproxy.cfg")
	writeFile(t, path, config.String())
	haproxy := start(t, "haproxy", "-db", "-f", path)

	from := &http.Client{Transport: &http.Transport{
		DialContext:     (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: ca.pool(), ServerName: "site.example"},
	}}
	defer from.CloseIdleConnections()
	for _, way := range ways {
		url := way.scheme + "://" + at[way.name] + "/"
		awaitOK(t, from, url, haproxy)
		if got := get(t, from, url); got != client {
			t.Errorf("%s: the endpoint hears of client %q, want %s", way.name, got, client)
		}
	}
	for _, line := range w.lines() {
		if strings.Contains(line, "a connection was refused") {
			t.Errorf("a check is taken for a mistake: %s", line)
		}
	}
}
