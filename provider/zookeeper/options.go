package zookeeper

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	defaultPrefix  = "/weir"
	defaultPort    = "2181"
	defaultSession = 10 * time.Second
	defaultResync  = time.Minute
)

// The bounds of what is taken from an ensemble.
const (
	// MaxValue is the greatest size of a node's data, in bytes. An entry with a larger one
	// is left out.
	MaxValue = registry.MaxValue
	// MaxEndpoints is how many nodes of a service are looked at.
	MaxEndpoints = registry.MaxEndpoints
)

// A Problem is an option that is wrong.
type Problem = provider.Problem

// Options say where a service is registered.
type Options struct {
	// Servers are those of one ZooKeeper ensemble: host or host:port. The port may
	// be left out if it is 2181. There is at least one.
	Servers []string
	// Prefix is the path below which all services stand; empty is "/weir". A slash
	// at its end makes no difference.
	Prefix string
	// Service is the service whose endpoints are looked for, below
	// Prefix/Service. It must be set.
	Service string
	// Auth is user:password for the digest scheme; empty is no authentication. It
	// is sent in clear text.
	Auth string
	// Session is the timeout that is asked for: a server that is silent for two
	// thirds of it is left. 0 is 10 s. The servers may set another one.
	Session time.Duration
	// Resync is how often everything is read again, whatever the watches say, give
	// or take a quarter; 0 is a minute.
	Resync time.Duration
	// Log is told which entries are left out, and at level debug what the client
	// does. If nil, nobody is.
	Log *slog.Logger
}

// withDefaults fills in what was left out, and tells what is wrong.
func (o Options) withDefaults() (Options, error) {
	var wrong registry.Problems
	o.Prefix = strings.TrimRight(cmp.Or(o.Prefix, defaultPrefix), "/")
	o.Session = cmp.Or(o.Session, defaultSession)
	o.Resync = cmp.Or(o.Resync, defaultResync)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Servers = o.servers(&wrong)
	o.checkPath(&wrong)
	if user, password, ok := strings.Cut(o.Auth, ":"); o.Auth != "" && (!ok || user == "" || password == "") {
		wrong.Add("auth", "is not user:password")
	}
	if o.Session < time.Second {
		wrong.Add("session", "%v is less than a second", o.Session)
	}
	if o.Resync < 0 {
		wrong.Add("resync", "%v is negative", o.Resync)
	}
	return o, wrong.Err()
}

func (o Options) checkPath(wrong *registry.Problems) {
	switch {
	case o.Service == "":
		wrong.Add("service", "is missing")
	case strings.Contains(o.Service, "/"):
		wrong.Add("service", "%q has a slash", o.Service)
	case !isSegment(o.Service):
		wrong.Add("service", "%q cannot be the name of a node", o.Service)
	}
	if o.Prefix == "" {
		return
	}
	below, ok := strings.CutPrefix(o.Prefix, "/")
	if !ok {
		wrong.Add("prefix", "%q does not begin with a slash", o.Prefix)
		return
	}
	for segment := range strings.SplitSeq(below, "/") {
		if !isSegment(segment) {
			wrong.Add("prefix", "%q has a part that cannot be the name of a node: %q", o.Prefix, segment)
		}
	}
}

// isSegment reports whether ZooKeeper takes a text for the name of a node.
func isSegment(text string) bool {
	return text != "" && text != "." && text != ".." && registry.IsPlain(text)
}

// servers returns the servers with their ports.
func (o Options) servers(wrong *registry.Problems) []string {
	if len(o.Servers) == 0 {
		wrong.Add("servers", "are missing; write at least one, such as 127.0.0.1:2181")
	}
	list := make([]string, len(o.Servers))
	for i, raw := range o.Servers {
		server, err := readServer(raw)
		if err != nil {
			wrong.Add(fmt.Sprintf("servers[%d]", i), "%v", err)
		}
		list[i] = server
	}
	return list
}

func readServer(raw string) (string, error) {
	host, port, err := net.SplitHostPort(raw)
	if err != nil {
		// Without a port; an IPv6 address may stand in brackets or not.
		host, port = strings.TrimSuffix(strings.TrimPrefix(raw, "["), "]"), defaultPort
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			host = ""
		}
	}
	if host == "" || !registry.IsPlain(host) || strings.ContainsAny(host, "/,@ []") {
		return "", fmt.Errorf("%q is not the address of a ZooKeeper server; write host:port", raw)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not from 1 to 65535", raw)
	}
	return net.JoinHostPort(host, port), nil
}
