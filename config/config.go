package config

import "net/netip"

// Off is written, in a Config built in Go, where zero would mean the default
// and no limit (or none at all) is wanted: Timeouts.Tunnel, Pool.MaxIdle,
// Queue.Size, Retry.Budget, Retry.BudgetFloor, Retry.Buffer, Hedge.Budget,
// Backpressure.MaxEjected, Limits.ReplayBytes, Shutdown.Timeout. Their docs say
// what it stands for.
// Whoever reads such a field treats every negative value as Off.
const Off = -1

// Config is one whole configuration. The zero value is legal: one listener on
// :8080, no service.
type Config struct {
	// Where clients are served. None: one on `:8080`.
	Listeners []Listener `yaml:"listeners"`
	// Where workers dial in, and who may. Left out: nowhere. Written with neither `services` nor `routes`: as `weir run` without a file does it, all requests go to the workers.
	Attach *Attach `yaml:"attach" bare:"true"`
	// The admin API. The scalar `off` turns it off.
	Admin Admin `yaml:"admin"`
	// A listener with only /metrics, /healthz and /readyz, for scrapers elsewhere.
	Metrics *Metrics `yaml:"metrics"`
	// Whose X-Forwarded-*, Forwarded and X-Request-Id are believed.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// What to do with a path that has dot segments, plain or percent-encoded: refuse it with 400, or resolve them.
	Paths string `yaml:"paths" default:"reject" enum:"reject,normalize"`
	// Which requests go to which service. May be left out when there is exactly one service: it gets every request.
	Routes []Route `yaml:"routes"`
	// The services, by name. A name is made of letters, digits, `.`, `_` and `-`.
	Services map[string]Service `yaml:"services"`
	// What bounds the memory and the patience of the process.
	Limits Limits `yaml:"limits"`
	// The access log. Left out, or the scalar `off`: none.
	AccessLog *AccessLog `yaml:"access_log"`
	// The file where changes that were made through the admin API are kept, so that they survive a restart. Left out: they do not.
	State string `yaml:"state"`
	// What Weir's own error responses tell: `verbose` lets details name endpoints and internal addresses.
	Errors string `yaml:"errors" default:"plain" enum:"plain,verbose"`
	// How the process stops.
	Shutdown Shutdown `yaml:"shutdown"`

	// origin is the file that it was read from; nil if it was built in Go.
	origin *origin `yaml:"-"`
}

// Listener is one address that clients connect to.
type Listener struct {
	// `host:port`, `:port`, or `unix:/path`.
	Address string `yaml:"address" required:"true"`
	// Serve TLS here. Left out: clear text.
	TLS *ServerTLS `yaml:"tls"`
	// Which Upgrade tokens pass; an empty list passes none. `h2c`, `HTTP/*`, `TLS/*` and `ptth` never do.
	Upgrades []string `yaml:"upgrades" default:"websocket"`
	// Workers may attach here too. Needs tokens or certificates in `attach`, and TLS here when the address is neither loopback nor a unix socket, unless `attach.insecure: true`.
	Attach bool `yaml:"attach" default:"false"`
	// Learn clients' addresses from the PROXY protocol. Left out: connections begin with a request, or with TLS.
	ProxyProtocol *ProxyProtocol `yaml:"proxy_protocol"`
}

// ProxyProtocol is who tells clients' addresses in front of everything else on a
// connection, as the PROXY protocol, versions 1 and 2, has it.
type ProxyProtocol struct {
	// The proxies, as networks or addresses. They have to begin every connection with a PROXY header; from others none is taken. On a unix socket everybody has to.
	Trusted []netip.Prefix `yaml:"trusted" required:"true"`
}

// ServerTLS is how a listener proves who it is, and whom it lets in.
type ServerTLS struct {
	// The certificates to choose from by server name; the first is the fallback.
	Certificates []Certificate `yaml:"certificates" required:"true"`
	// PEM file of the authorities that sign client certificates. Set: a client without a valid one is refused; at `attach.address` a token will do instead.
	ClientCA string `yaml:"client_ca"`
}

// Certificate is a certificate chain and its private key.
type Certificate struct {
	// PEM file of the certificate chain, leaf first.
	Cert string `yaml:"cert" required:"true"`
	// PEM file of the private key.
	Key string `yaml:"key" required:"true"`
}

// Admin is the listener of the admin API.
type Admin struct {
	// Off turns the admin API off; in the file it is the scalar `admin: off`.
	Off bool `yaml:"-"`
	// `host:port` or `unix:/path`.
	Address string `yaml:"address" default:"127.0.0.1:9900"`
	// The bearer token that the API asks for. Mandatory when the address is not loopback.
	Token string `yaml:"token" secret:"true"`
	// Values of the Host field admitted besides loopback names.
	Hosts []string `yaml:"hosts"`
}

// Metrics is a listener for scrapers.
type Metrics struct {
	// `host:port` or `unix:/path`.
	Address string `yaml:"address" required:"true"`
}

// Limits bound what clients can make the process hold. None can be turned off
// that bounds its memory.
type Limits struct {
	// Size of a request head.
	HeaderBytes Size `yaml:"header_bytes" default:"64KiB" min:"1KiB" max:"16MiB"`
	// Fields in a request head.
	HeaderCount int `yaml:"header_count" default:"128" min:"1" max:"10000"`
	// From the first byte of a request head to its last.
	HeaderTimeout Duration `yaml:"header_timeout" default:"10s" min:"1ms"`
	// Between two reads of a request body.
	BodyTimeout Duration `yaml:"body_timeout" default:"60s" min:"1ms"`
	// Size of a request body.
	BodyBytes Size `yaml:"body_bytes" default:"0" zero:"unlimited"`
	// Client connections open at once, over all listeners.
	Connections int `yaml:"connections" default:"100000" min:"1" max:"10000000"`
	// Request bodies kept for a possible retry, over all requests together.
	ReplayBytes Size `yaml:"replay_bytes" default:"256MiB" zero:"none is kept"`
}

// AccessLog is one line a request.
type AccessLog struct {
	// `stdout`, `stderr`, or a file that is appended to.
	Path string `yaml:"path" default:"stdout"`
	// The form of a line; `off` writes none.
	Format string `yaml:"format" default:"json" enum:"json,text,off"`
	// Further members of each line, in the order written.
	Fields Expressions `yaml:"fields"`
}

// Shutdown is what happens after SIGTERM.
type Shutdown struct {
	// How long to go on serving while readyz already fails.
	Delay Duration `yaml:"delay" default:"0s" zero:"at once"`
	// How long requests in flight may take to finish.
	Timeout Duration `yaml:"timeout" default:"30s" zero:"cut at once"`
}
