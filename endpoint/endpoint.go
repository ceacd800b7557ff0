// Package endpoint describes where requests can go: who an endpoint is, where it
// is reached and what is known about it, whoever announced it.
//
// An [Endpoint] is a plain value. What lives on while it is used (whether it is
// up, its connections, its counters) is kept elsewhere, by its name.
package endpoint

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// An Endpoint is one server that answers requests of a service.
type Endpoint struct {
	// Name is the endpoint's identity within its service. State and counters
	// follow it.
	Name string
	// Address is where and how it is reached.
	Address Address
	// Weight is its share of the requests, in proportion to the weights of the
	// others. 0 counts as 1.
	Weight int
	// Concurrency is how many requests it is sent at once; 0 is as many as come,
	// and less is none for the time being.
	Concurrency int
	// Version is which version of the service it serves; may be empty.
	Version string
	// Zone is where it stands; may be empty.
	Zone string
	// Labels are further attributes; may be nil. Whoever changes them changes a
	// copy.
	Labels map[string]string
}

// An Address is where an endpoint is reached.
type Address struct {
	// Network is "tcp" or "unix", or "worker" for who has dialed in.
	Network string
	// Host is a name or an IP address without brackets; for "unix" the path
	// of the socket, for "worker" its name.
	Host string
	// Port is the TCP port, always set for "tcp".
	Port string
	// TLS tells whether the connection is secured ("https").
	TLS bool
	// BasePath is put before the path of every request, BaseQuery before its
	// query.
	BasePath, BaseQuery string
}

// ParseAddress reads http://host[:port][/base][?query], https://… or
// unix:/path/to.sock. The error says what to write instead.
func ParseAddress(raw string) (Address, error) {
	if path, ok := strings.CutPrefix(raw, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return Address{}, fmt.Errorf("%q: the path of a Unix socket begins with a slash, as in unix:/run/app.sock", raw)
		}
		return Address{Network: "unix", Host: path}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Address{}, fmt.Errorf("%q is not the URL of an endpoint; write http://host:port, https://host:port or unix:/path", raw)
	}
	if u.Hostname() == "" {
		return Address{}, fmt.Errorf("%q has no host", raw)
	}
	a := Address{Network: "tcp", Host: u.Hostname(), Port: u.Port(), TLS: u.Scheme == "https", BaseQuery: u.RawQuery}
	a.BasePath = strings.TrimSuffix(u.EscapedPath(), "/")
	if a.Port == "" {
		a.Port = defaultPort(a.TLS)
	}
	return a, nil
}

func defaultPort(tls bool) string {
	if tls {
		return "443"
	}
	return "80"
}

// Authority returns the value of the Host field that names the endpoint itself:
// its port only when it is not the scheme's own.
func (a Address) Authority() string {
	switch {
	case a.Network == "unix":
		return "localhost"
	case a.Port != defaultPort(a.TLS):
		return net.JoinHostPort(a.Host, a.Port)
	case strings.Contains(a.Host, ":"):
		return "[" + a.Host + "]"
	default:
		return a.Host
	}
}

// Dial returns the network and the address for net.Dial.
func (a Address) Dial() (network, address string) {
	if a.Network == "unix" {
		return "unix", a.Host
	}
	return "tcp", net.JoinHostPort(a.Host, a.Port)
}

// String returns the address as a URL.
func (a Address) String() string {
	if a.Network != "tcp" {
		return a.Network + ":" + a.Host
	}
	u := "http://"
	if a.TLS {
		u = "https://"
	}
	u += a.Authority() + a.BasePath
	if a.BaseQuery != "" {
		u += "?" + a.BaseQuery
	}
	return u
}
