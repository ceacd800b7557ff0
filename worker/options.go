package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"
)

// Options say where a worker attaches, who it is, and how much it takes. Only
// Routers is required.
type Options struct {
	// Routers are the routers to attach to, each written as
	//
	//	https://host[:port]   TLS; the port is 443 unless given
	//	http://host[:port]    clear text wherever that leads; the port is 80 unless given
	//	host:port             clear text if host is localhost or a loopback address, else TLS
	//
	// The worker attaches to every address that a host has, once to each address.
	// Names are looked up again every 30 s.
	Routers []string

	// Service is what the worker serves; empty is "default". Version is which
	// version of it; may be empty. Zone is where the worker stands; may be empty.
	Service, Version, Zone string
	// Instance tells this worker from others of its service. All connections of
	// one Serve have the same, so that routers take them for one worker. If empty,
	// it is made of the host's name and something random.
	//
	// Service, Version, Zone and Instance are letters, digits, dots, underscores
	// and hyphens, at most 128 of them.
	Instance string
	// Weight is the worker's share of the requests in proportion to the weights of
	// others, 1 to 1000; 0 is 1.
	Weight int
	// Labels are further attributes: at most 32, of 1024 bytes in all.
	Labels map[string]string

	// Token is the secret that lets the worker in; empty if a certificate does, or
	// nothing is needed. It is sent to every router that the worker attaches to,
	// by PTTH and RH2.
	Token string
	// TLS configures secured connections; nil is the system's trust and no client
	// certificate. It is not changed. ServerName is that of each router's URL
	// unless set; the protocols offered are always the worker's own; versions
	// before TLS 1.2 are never spoken.
	TLS *tls.Config
	// Protocol is how the worker attaches; the zero value is PTTH.
	Protocol Protocol

	// Concurrency is how many requests one router may have under way here at a
	// time, for it is announced on each connection as
	// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 §6.5.2); 0 is 100. A router queues
	// what is more, or sends it elsewhere.
	Concurrency int
	// ShutdownTimeout bounds how long requests that are under way when a
	// connection is left may still take; 0 is 30 s.
	ShutdownTimeout time.Duration

	// Log is told what happens to connections. If nil, nobody is.
	Log *slog.Logger
	// OnAttached is called each time a connection to a router is attached, with
	// the router as it was written in Routers or named by another router. If nil,
	// nothing is. Like OnRefused, it must not block; both may be called
	// concurrently.
	OnAttached func(router string)
	// OnRefused is called each time a router refuses the worker. The worker tries
	// again whatever the reason is, for the router's configuration may change. If
	// nil, nothing is.
	OnRefused func(router string, r *Refusal)

	// Dial opens connections; nil is a net.Dialer's DialContext. If it is set,
	// names are not looked up here: it is given the host and port as they were
	// written.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Protocol is how a worker attaches: how HTTP's roles are swapped, so that the
// router becomes the client on a connection that the worker has opened.
type Protocol uint8

const (
	// PTTH upgrades a request of HTTP/1.1 (draft-kazuho-ptth-ptth). It passes
	// ordinary load balancers, and works with and without TLS.
	PTTH Protocol = iota
	// RH2 agrees on the swap by ALPN (draft-thomson-ptth-potato); only over TLS.
	// The worker says who it is when the router asks for it.
	RH2
	// RHTTP is how HAProxy does it (rhttp@): towards a HAProxy, or a Weir. The
	// worker is known by its client certificate alone: Token is not sent, nor is
	// anything else that Options say of the worker.
	RHTTP
)

// String returns the protocol's name: ptth, rh2 or rhttp.
func (p Protocol) String() string {
	switch p {
	case PTTH:
		return "ptth"
	case RH2:
		return "rh2"
	case RHTTP:
		return "rhttp"
	}
	return fmt.Sprintf("Protocol(%d)", uint8(p))
}

// ParseProtocol returns the protocol of that name.
func ParseProtocol(name string) (Protocol, error) {
	for _, p := range []Protocol{PTTH, RH2, RHTTP} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%q is not a protocol to attach by; there are ptth, rh2 and rhttp", name)
}

// alpn is what a protocol is called in TLS.
func (p Protocol) alpn() string {
	switch p {
	case RH2:
		return "rh2"
	case RHTTP:
		return "h2"
	case PTTH:
	}
	return "http/1.1"
}

const (
	defaultConcurrency     = 100
	defaultShutdownTimeout = 30 * time.Second
	maxConcurrency         = 1<<31 - 1
	maxWeight              = 1000
)

// withDefaults checks the options and fills in what they leave out.
func (o Options) withDefaults() (Options, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	o.Service = cmp.Or(o.Service, "default")
	o.Weight = cmp.Or(o.Weight, 1)
	o.Concurrency = cmp.Or(o.Concurrency, defaultConcurrency)
	o.ShutdownTimeout = cmp.Or(o.ShutdownTimeout, defaultShutdownTimeout)
	if o.Instance == "" {
		o.Instance = makeInstance()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnAttached == nil {
		o.OnAttached = func(string) {}
	}
	if o.OnRefused == nil {
		o.OnRefused = func(string, *Refusal) {}
	}
	return o, nil
}

// check reports everything that is wrong with the options.
func (o Options) check() error {
	var wrong []error
	if len(o.Routers) == 0 {
		wrong = append(wrong, errors.New("there is no router to attach to: Options.Routers is empty"))
	}
	for _, f := range []struct{ name, value string }{
		{"Service", o.Service}, {"Version", o.Version}, {"Instance", o.Instance}, {"Zone", o.Zone},
	} {
		if f.value == "" {
			continue
		}
		if text := badName(f.value); text != "" {
			wrong = append(wrong, fmt.Errorf("wrong Options.%s %q: it %s", f.name, f.value, text))
		}
	}
	if o.Weight < 0 || o.Weight > maxWeight {
		wrong = append(wrong, fmt.Errorf("Options.Weight is %d, and not between 1 and %d", o.Weight, maxWeight))
	}
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		wrong = append(wrong, fmt.Errorf("Options.Concurrency is %d; it is 1 at least, or 0 for %d", o.Concurrency, defaultConcurrency))
	}
	if o.ShutdownTimeout < 0 {
		wrong = append(wrong, fmt.Errorf("Options.ShutdownTimeout is %v, before it has begun", o.ShutdownTimeout))
	}
	if o.Protocol > RHTTP {
		wrong = append(wrong, fmt.Errorf("Options.Protocol is %v, and no such protocol is known", o.Protocol))
	}
	if o.Token != "" && !isVisible(o.Token) { // what it is stays a secret
		wrong = append(wrong, errors.New("Options.Token has characters other than visible ASCII; is a line end among them?"))
	}
	if err := checkLabels(o.Labels); err != nil {
		wrong = append(wrong, fmt.Errorf("Options.Labels %w", err))
	}
	return errors.Join(wrong...)
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

// maxName bounds names, as routers do.
const maxName = 128

// badName tells what is wrong with a name, or nothing.
func badName(name string) string {
	switch {
	case len(name) > maxName:
		return fmt.Sprintf("has more than %d characters", maxName)
	case strings.ContainsFunc(name, notInName):
		return "has other characters than letters, digits, . _ and -"
	case strings.Trim(name, ".") == "":
		return "is nothing but dots"
	}
	return ""
}

func notInName(r rune) bool { return !strings.ContainsRune(nameChars, r) }

// isVisible reports whether a text is visible ASCII, one character at least.
func isVisible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}

// makeInstance makes up a name that no other worker has.
func makeInstance() string {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // never fails
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	name := strings.Map(func(r rune) rune {
		if notInName(r) {
			return '-'
		}
		return r
	}, host)
	const room = maxName - 1 - 2*len(suffix)
	return name[:min(len(name), room)] + "-" + hex.EncodeToString(suffix[:])
}
