package etcd

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	defaultPrefix = "/weir"
	defaultPort   = "2379"
	defaultResync = time.Minute
)

// The bounds of what is taken from a cluster.
const (
	// MaxValue is the greatest size of a value, in bytes. An entry with a larger one
	// is left out.
	MaxValue = registry.MaxValue
	// MaxEndpoints is how many entries of a service are looked at.
	MaxEndpoints = registry.MaxEndpoints
)

// A Problem is an option that is wrong.
type Problem = provider.Problem

// Options say where a service is registered.
type Options struct {
	// Endpoints are the servers of one etcd cluster: http://host:port,
	// https://host:port, or host:port, which is https if CA or Cert is set, else
	// http. All speak the same of the two. The port may be left out if it is 2379.
	// There is at least one.
	Endpoints []string
	// Prefix is what the keys of all services begin with; empty is "/weir". A
	// slash at its end makes no difference.
	Prefix string
	// Service is the service whose endpoints are looked for, below
	// Prefix/Service/. It must be set.
	Service string
	// CA is a PEM file with the authorities that may have signed the servers'
	// certificates; empty means those of the system.
	CA string
	// Cert and Key are PEM files with a certificate that is shown to the servers
	// and its key; both or none. They are read again for every connection.
	Cert, Key string
	// User and Password are sent to the servers; both or none.
	User, Password string
	// Resync is how often everything is listed, whatever the watch says, give or
	// take a quarter; 0 is a minute.
	Resync time.Duration
	// Log is told which entries are left out, and at level debug what the
	// client does. If nil, nobody is.
	Log *slog.Logger
}

// withDefaults fills in what was left out, and tells what is wrong. It reads the
// files, for a mistake in them is best told at once.
func (o Options) withDefaults() (Options, error) {
	var wrong registry.Problems
	o.Prefix = strings.TrimRight(cmp.Or(o.Prefix, defaultPrefix), "/")
	o.Resync = cmp.Or(o.Resync, defaultResync)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Endpoints = o.servers(&wrong)
	o.checkKeys(&wrong)
	o.checkCredentials(&wrong)
	return o, wrong.Err()
}

func (o Options) checkKeys(wrong *registry.Problems) {
	switch {
	case o.Service == "":
		wrong.Add("service", "is missing")
	case strings.Contains(o.Service, "/"):
		wrong.Add("service", "%q has a slash", o.Service)
	case !registry.IsPlain(o.Service):
		wrong.Add("service", "%q has control characters", o.Service)
	}
	if !registry.IsPlain(o.Prefix) {
		wrong.Add("prefix", "%q has control characters", o.Prefix)
	}
	if o.Resync < 0 {
		wrong.Add("resync", "%v is negative", o.Resync)
	}
}

func (o Options) checkCredentials(wrong *registry.Problems) {
	useless := ""
	if !o.secure() {
		useless = "the endpoints are http://"
	}
	o.trust().Check(wrong, useless)
	switch {
	case o.User != "" && o.Password == "":
		wrong.Add("password", "is missing beside user")
	case o.Password != "" && o.User == "":
		wrong.Add("user", "is missing beside password")
	}
}

// servers returns the endpoints written in full.
func (o Options) servers(wrong *registry.Problems) []string {
	if len(o.Endpoints) == 0 {
		wrong.Add("endpoints", "are missing; write at least one, such as http://127.0.0.1:2379")
	}
	list := make([]string, len(o.Endpoints))
	for i, raw := range o.Endpoints {
		place := fmt.Sprintf("endpoints[%d]", i)
		server, err := o.server(raw)
		switch {
		case err != nil:
			wrong.Add(place, "%v", err)
		case list[0] != "" && isSecure(server) != isSecure(list[0]):
			wrong.Add(place, "%s and %s: all are http, or all https", server, list[0])
		}
		list[i] = server
	}
	return list
}

func (o Options) server(raw string) (string, error) {
	text := raw
	if !strings.Contains(raw, "://") {
		text = "http://" + raw
		if o.CA != "" || o.Cert != "" {
			text = "https://" + raw
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the address of an etcd server; write http://host:port or https://host:port", raw)
	}
	if u.User != nil {
		return "", errors.New("the user stands in user and password, not in the address of a server")
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q has more than a host and a port", raw)
	}
	port := cmp.Or(u.Port(), defaultPort)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not from 1 to 65535", raw)
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port), nil
}

func isSecure(server string) bool { return strings.HasPrefix(server, "https:") }

// secure reports whether the servers, written in full, are reached by TLS.
func (o Options) secure() bool { return len(o.Endpoints) > 0 && isSecure(o.Endpoints[0]) }

// tls returns how the servers are verified; nil if they are reached in clear text.
func (o Options) tls() (*tls.Config, error) {
	if !o.secure() {
		return nil, nil
	}
	return o.trust().Config()
}

func (o Options) trust() registry.Trust { return registry.Trust{CA: o.CA, Cert: o.Cert, Key: o.Key} }
