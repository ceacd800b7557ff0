package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirproxy/weir/worker"
)

// tokenVariable is the environment variable that has the token, which others on
// the same machine cannot read there as they can on the command line.
const tokenVariable = "WEIR_TOKEN"

// attachFlags are the flags of weir attach.
type attachFlags struct {
	set *pflag.FlagSet

	to              []string
	service         string
	version         string
	instance        string
	weight          int
	zone            string
	labels          []string
	token           string
	ca, cert, key   string
	protocol        string
	concurrency     int
	shutdownTimeout span
	logLevel        string
}

var protocols = []string{worker.PTTH.String(), worker.RH2.String(), worker.RHTTP.String()}

func (f *attachFlags) add(cmd *cobra.Command) {
	f.set = cmd.Flags()
	f.set.StringArrayVar(&f.to, "to", nil, "`router` to attach to: https://host[:port] or host:port; repeatable")
	f.set.StringVar(&f.service, "service", "default", "`name` of the service that is served")
	f.set.StringVar(&f.version, "version", "", "`version` of the service that is served")
	f.set.StringVar(&f.instance, "instance", "", "`name` that tells this worker from others of its service (default the host's name and something random)")
	f.set.IntVar(&f.weight, "weight", 1, "share of the requests in proportion to others, `1-1000`")
	f.set.StringVar(&f.zone, "zone", "", "`zone` where it stands")
	f.set.StringArrayVar(&f.labels, "label", nil, "further attribute, as `name=value`; repeatable")
	f.set.StringVar(&f.token, "token", "", "`secret` that lets it in (default what "+tokenVariable+" in the environment has; others on this machine cannot see it there)")
	f.set.StringVar(&f.ca, "ca", "", "`file` with the certificates that routers are verified with (default those of the system)")
	f.set.StringVar(&f.cert, "cert", "", "`file` with a certificate that lets it in")
	f.set.StringVar(&f.key, "key", "", "`file` with the key of that certificate")
	f.set.StringVar(&f.protocol, "protocol", protocols[0], "`protocol` by which it attaches: "+strings.Join(protocols, ", "))
	f.set.IntVar(&f.concurrency, "concurrency", 100, "`number` of requests that a router may have under way here at a time")
	f.set.Var(&f.shutdownTimeout, "shutdown-timeout", "how long requests under way may still take when it ends, a `duration` (default 30s)")
	f.set.StringVar(&f.logLevel, "log-level", "warn", "least `level` of what is logged beside what is said, on standard error: debug, info, warn or error")
	completeWith(cmd, "protocol", protocols)
	completeWith(cmd, "log-level", levelNames)
}

func (f *attachFlags) given(name string) bool { return f.set.Changed(name) }

// options makes options of the flags. Files that cannot be read are a failure, not
// bad usage.
func (f *attachFlags) options() (worker.Options, error) {
	o := worker.Options{
		Routers: f.to, Service: f.service, Version: f.version, Instance: f.instance,
		Weight: f.weight, Zone: f.zone, Token: f.secret(), Concurrency: f.concurrency,
	}
	var wrong []error
	var err error
	if o.Protocol, err = worker.ParseProtocol(f.protocol); err != nil {
		wrong = append(wrong, notOneOf("--protocol", f.protocol, protocols))
	}
	if o.Labels, err = parsePairs("--label", f.labels); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(append(wrong, f.problems()...)...); err != nil {
		return o, err
	}
	if f.given("shutdown-timeout") {
		// Not waiting at all is what 0 says here, and as little as Serve can.
		o.ShutdownTimeout = max(time.Duration(f.shutdownTimeout.Duration), time.Nanosecond)
	}
	o.TLS, err = f.tls()
	return o, failed(err)
}

// problems are those that are not seen in the options.
func (f *attachFlags) problems() (wrong []error) {
	if len(f.to) == 0 {
		wrong = append(wrong, errors.New("name the router with --to, such as --to 127.0.0.1:7000"))
	}
	for _, name := range []string{"service", "token", "ca", "cert", "key"} {
		if f.given(name) && f.set.Lookup(name).Value.String() == "" {
			wrong = append(wrong, fmt.Errorf("--%s wants a value", name))
		}
	}
	if f.weight < 1 {
		wrong = append(wrong, fmt.Errorf("--weight is %d, and not between 1 and 1000", f.weight))
	}
	if f.concurrency < 1 {
		wrong = append(wrong, fmt.Errorf("--concurrency is %d; it is 1 at least", f.concurrency))
	}
	if (f.cert == "") != (f.key == "") {
		wrong = append(wrong, errors.New("--cert and --key belong together"))
	}
	return wrong
}

// secret returns the token.
func (f *attachFlags) secret() string {
	if f.given("token") {
		return f.token
	}
	return os.Getenv(tokenVariable)
}

// parsePairs reads the values of a repeatable flag, each name=value.
func parsePairs(flag string, pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%s %q is not name=value", flag, pair)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("%s %s is given twice", flag, name)
		}
		values[name] = value
	}
	return values, nil
}

// tls returns whom the worker trusts, and what it proves itself with.
func (f *attachFlags) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--ca: %s has no certificate in PEM", f.ca)
		}
	}
	if f.cert == "" {
		return c, nil
	}
	if _, err := tls.LoadX509KeyPair(f.cert, f.key); err != nil {
		return nil, fmt.Errorf("--cert and --key: %w", err)
	}
	// It is read again each time, so that a renewed one needs no restart.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("--cert and --key: %w", err)
		}
		return &pair, nil
	}
	return c, nil
}

// check has package worker look at the options: Serve does that first, and an end
// that has come already leaves it nothing else to do.
func (f *attachFlags) check(o worker.Options) error {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	err := worker.Serve(over, o, http.NotFoundHandler())
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	token := "--token"
	if !f.given("token") {
		token = tokenVariable
	}
	text := strings.ReplaceAll(err.Error(), "wrong Options.", "Options.")
	return errors.New(strings.NewReplacer(
		"worker: ", "", "router \"", "--to \"", "Options.Service", "--service", "Options.Version", "--version",
		"Options.Instance", "--instance", "Options.Zone", "--zone", "Options.Weight", "--weight",
		"Options.Concurrency", "--concurrency", "Options.Labels", "--label", "Options.Token", token,
	).Replace(text))
}

// unwise returns what the user might not have meant.
func (f *attachFlags) unwise(o worker.Options) (warnings []string) {
	if o.Token != "" && o.Protocol == worker.RHTTP {
		warnings = append(warnings, "the token is not used: by rhttp a worker is known by its certificate alone")
	}
	for _, router := range o.Routers {
		if o.Token != "" && o.Protocol == worker.PTTH && exposes(router) {
			warnings = append(warnings, "the token goes to "+router+" in clear text; write https:// if it can be")
		}
	}
	return warnings
}

// exposes reports whether what is sent to a router can be read on the way.
func exposes(router string) bool {
	u, err := url.Parse(router)
	if err != nil || u.Scheme != "http" || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsLoopback()
}
