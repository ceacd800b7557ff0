package dns

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/provider/internal/registry"
)

const (
	defaultPort    = "53"
	defaultTimeout = 2 * time.Second
	defaultMinTTL  = time.Second
	defaultMaxTTL  = time.Minute

	maxTimeout = 30 * time.Second
	maxServers = 16
)

// Options say which name is looked up, and what its records stand for.
type Options struct {
	// Name is the name that is looked up. It must be set. Names beyond ASCII are
	// written as xn--….
	Name string
	// SRV looks for SRV records, and for the addresses of their targets.
	SRV bool
	// Type is which addresses are looked for: "a", "aaaa", or "ip" for both; empty
	// is "ip".
	Type string
	// Port is that of all endpoints; 0 is 80, or 443 for https. SRV records have
	// ports of their own.
	Port int
	// Scheme is "http" or "https"; empty is "http". Endpoints have addresses for
	// hosts: what name their certificates are verified for stands in the service's
	// tls.server_name.
	Scheme string
	// AllPriorities tells SRV records of all priorities, lower values first. Without,
	// only those of the lowest value that has addresses are told.
	AllPriorities bool
	// Servers are asked in this order: host, or host:port if the port is not 53. If
	// there are none, those of /etc/resolv.conf are asked, and its search list is
	// followed; it is read before every lookup. With Servers, Name is complete.
	Servers []string
	// Timeout is how long one server is waited for before the next one is asked. 0
	// is that of /etc/resolv.conf if it has one, else 2 s.
	Timeout time.Duration
	// MinTTL and MaxTTL bound the time until the name is looked up again. 0 is 1 s
	// and 1 min.
	MinTTL, MaxTTL time.Duration
	// Log is told which records are left out, and what could be answered in part. If
	// nil, nobody is.
	Log *slog.Logger

	// resolvConf is where the system's servers stand.
	resolvConf string
}

// withDefaults fills in what was left out, and tells what is wrong.
func (o Options) withDefaults() (Options, error) {
	var wrong registry.Problems
	o.Type = cmp.Or(o.Type, "ip")
	o.Scheme = cmp.Or(o.Scheme, "http")
	o.MinTTL = cmp.Or(o.MinTTL, defaultMinTTL)
	o.MaxTTL = cmp.Or(o.MaxTTL, max(defaultMaxTTL, o.MinTTL))
	o.resolvConf = cmp.Or(o.resolvConf, "/etc/resolv.conf")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkName(o.Name); err != nil {
		wrong.Add("name", "%v", err)
	}
	if o.Type != "a" && o.Type != "aaaa" && o.Type != "ip" {
		wrong.Add("type", "%q is not a, aaaa or ip", o.Type)
	}
	o.checkEndpoints(&wrong)
	o.checkTimes(&wrong)
	o.Servers = o.servers(&wrong)
	return o, wrong.Err()
}

func (o Options) checkEndpoints(wrong *registry.Problems) {
	if o.Scheme != "http" && o.Scheme != "https" {
		wrong.Add("scheme", "%q is not http or https", o.Scheme)
	}
	switch {
	case o.SRV && o.Port != 0:
		wrong.Add("port", "has no effect: SRV records have ports of their own")
	case o.Port < 0 || o.Port > 65535:
		wrong.Add("port", "%d is not from 1 to 65535", o.Port)
	}
	if o.AllPriorities && !o.SRV {
		wrong.Add("all_priorities", "has no effect: only SRV records have priorities")
	}
}

func (o Options) checkTimes(wrong *registry.Problems) {
	if o.Timeout < 0 || o.Timeout > maxTimeout {
		wrong.Add("timeout", "%v is not from 0 to %v", o.Timeout, maxTimeout)
	}
	// What expires at once would be asked for all the time.
	if o.MinTTL < 10*time.Millisecond {
		wrong.Add("min_ttl", "%v is less than 10ms", o.MinTTL)
	}
	if o.MaxTTL < o.MinTTL {
		wrong.Add("max_ttl", "%v is less than min_ttl, %v", o.MaxTTL, o.MinTTL)
	}
}

// checkName tells what is wrong with a name that is to be looked up.
func checkName(name string) error {
	bare := strings.TrimSuffix(name, ".")
	if bare == "" {
		return fmt.Errorf("is missing")
	}
	if _, err := netip.ParseAddr(bare); err == nil {
		return fmt.Errorf("%q is an address already; write it as the URL of an endpoint", name)
	}
	if len(bare) > maxName {
		return fmt.Errorf("%q is longer than %d characters", name, maxName)
	}
	for label := range strings.SplitSeq(bare, ".") {
		if len(label) > 63 || strings.Trim(label, nameCharacters) != "" || label == "" {
			return fmt.Errorf("%q is no name: its parts are 1 to 63 letters, digits, - and _ each", name)
		}
	}
	return nil
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// servers returns the servers with their ports.
func (o Options) servers(wrong *registry.Problems) []string {
	if len(o.Servers) > maxServers {
		wrong.Add("servers", "are more than %d", maxServers)
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
	}
	_, noAddress := netip.ParseAddr(host)
	if noAddress != nil && checkName(host) != nil {
		return "", fmt.Errorf("%q is not the address of a DNS server; write host or host:port", raw)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not from 1 to 65535", raw)
	}
	return net.JoinHostPort(host, port), nil
}
