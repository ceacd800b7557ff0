package consul

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	defaultAddress = "http://127.0.0.1:8500"
	defaultPort    = "8500"
	defaultScheme  = "http"
	defaultWait    = time.Minute
	// maxWait is how long Consul waits at most.
	maxWait = 10 * time.Minute
)

// MaxEndpoints is how many instances of a service are looked at.
const MaxEndpoints = registry.MaxEndpoints

// A Problem is an option that is wrong.
type Problem = provider.Problem

// Options say where a service is registered. What Token, Namespace and Partition leave
// open is taken from the environment (CONSUL_HTTP_TOKEN and so on), as by all clients
// of Consul.
type Options struct {
	// Address is an agent or a server of Consul: http://host:port,
	// https://host:port, or host:port, which is https if CA or Cert is set, else
	// http. The port may be left out if it is 8500. Empty is
	// http://127.0.0.1:8500.
	Address string
	// Token is the ACL token.
	Token string
	// Datacenter is asked; empty is that of the agent.
	Datacenter string
	// Namespace and Partition are for Consul Enterprise.
	Namespace, Partition string
	// Service is the service in Consul whose instances are looked for. It must be
	// set.
	Service string
	// Tags are those that an instance must have, all of them.
	Tags []string
	// Scheme is how instances are reached, "http" or "https"; empty is "http".
	Scheme string
	// CA is a PEM file with the authorities that may have signed Consul's
	// certificate; empty means those of the system.
	CA string
	// Cert and Key are PEM files with a certificate that is shown to Consul and its
	// key; both or none. They are read again for every connection.
	Cert, Key string
	// Wait is how long a query waits for a change, give or take a quarter; 0 is a
	// minute. A connection that is silent for longer is given up.
	Wait time.Duration
	// Log is told which instances are left out. If nil, nobody is.
	Log *slog.Logger
}

// withDefaults fills in what was left out, and tells what is wrong.
func (o Options) withDefaults() (Options, error) {
	var wrong registry.Problems
	o.Scheme = cmp.Or(o.Scheme, defaultScheme)
	o.Wait = cmp.Or(o.Wait, defaultWait)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Tags = slices.Clone(o.Tags)
	server, err := o.server()
	if err != nil {
		wrong.Add("address", "%v", err)
	}
	o.Address = server
	o.checkService(&wrong)
	o.checkOthers(&wrong)
	useless := ""
	if !o.secure() {
		useless = "the address is http://"
	}
	if err == nil {
		o.trust().Check(&wrong, useless)
	}
	return o, wrong.Err()
}

func (o Options) checkService(wrong *registry.Problems) {
	switch {
	case o.Service == "":
		wrong.Add("service", "is missing")
	case strings.Contains(o.Service, "/"):
		wrong.Add("service", "%q has a slash", o.Service)
	case !registry.IsPlain(o.Service):
		wrong.Add("service", "%q has control characters", o.Service)
	}
	for i, tag := range o.Tags {
		if tag == "" || !registry.IsPlain(tag) {
			wrong.Add(fmt.Sprintf("tags[%d]", i), "%q is empty, or has control characters", tag)
		}
	}
}

func (o Options) checkOthers(wrong *registry.Problems) {
	if !registry.IsPlain(o.Token) {
		wrong.Add("token", "has control characters") // it would be no header field
	}
	if o.Scheme != "http" && o.Scheme != "https" {
		wrong.Add("scheme", "%q is not http or https", o.Scheme)
	}
	if o.Wait < time.Second || o.Wait > maxWait {
		wrong.Add("wait", "%v is not from 1s to %v", o.Wait, maxWait)
	}
}

// server returns the address written in full.
func (o Options) server() (string, error) {
	text := cmp.Or(o.Address, defaultAddress)
	if !strings.Contains(text, "://") {
		text = "http://" + text
		if o.CA != "" || o.Cert != "" {
			text = "https://" + strings.TrimPrefix(text, "http://")
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the address of Consul; write http://host:port or https://host:port", o.Address)
	}
	if u.User != nil {
		return "", errors.New("no user stands in it; Consul knows who asks by token")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q has more than a host, a port and a path", o.Address)
	}
	port := cmp.Or(u.Port(), defaultPort)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not from 1 to 65535", o.Address)
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port) + strings.TrimRight(u.EscapedPath(), "/"), nil
}

func (o Options) secure() bool { return strings.HasPrefix(o.Address, "https:") }

func (o Options) trust() registry.Trust { return registry.Trust{CA: o.CA, Cert: o.Cert, Key: o.Key} }
