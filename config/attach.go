package config

// defaultAttach is where workers attach if nobody says otherwise.
const defaultAttach = "127.0.0.1:7000"

// Attach is the door for workers: they dial in, and requests go to them over
// the connections that they have opened.
type Attach struct {
	// `host:port`, `:port` or `unix:/path`; `off` is no listener of its own: workers come by listeners with `attach: true`.
	Address string `yaml:"address" default:"127.0.0.1:7000"`
	// Serve TLS at this address. Mandatory when the address is neither loopback nor a unix socket, unless `insecure: true`.
	TLS *ServerTLS `yaml:"tls"`
	// Let workers attach in clear text from other machines, here and on listeners with `attach: true`: whoever is in between can read tokens, requests and responses.
	Insecure bool `yaml:"insecure" default:"false"`
	// Secrets that workers send, and [what each may serve](#services-of-workers). Tokens or certificates are mandatory off loopback, with `tls`, and for listeners with `attach: true`. Where there are none, whoever comes from this machine may serve anything.
	Tokens []AttachToken `yaml:"tokens"`
	// Names in client certificates, and [what each may serve](#services-of-workers). A `client_ca` has to verify them, in `attach.tls` or on a listener with `attach: true`.
	Certificates []AttachCertificate `yaml:"certificates"`
	// The age at which a worker is asked to open another connection, and to leave the one it has once the new one is there: behind a load balancer, workers spread anew over the routers. A tenth more or less, so that not all come at once.
	MaxAge Duration `yaml:"max_age" default:"0s" zero:"no limit"`
	// Addresses of further routers, `https://host:port` or `host:port`: workers are told of them when they attach, and attach there besides. At most 32.
	Routers []string `yaml:"routers"`
}

// AttachToken is a secret, and the services that whoever sends it may serve.
type AttachToken struct {
	// Visible ASCII without spaces, up to 4096 characters.
	Token string `yaml:"token" required:"true" secret:"true"`
	// What it lets a worker serve: [patterns](#services-of-workers) such as `web`, `shop@v2`, `shop@*` and `*`.
	Services []string `yaml:"services" required:"the token may serve nothing"`
}

// AttachCertificate is a name in a client certificate, and the services that
// whoever shows one may serve.
type AttachCertificate struct {
	// A subject alternative name of the certificate: a DNS name, compared without case, or a URI. It is no pattern.
	SAN string `yaml:"san" required:"true"`
	// What it lets a worker serve, written as in `tokens`. Who cannot name a service serves the first one here without `*`.
	Services []string `yaml:"services" required:"the certificate may serve nothing"`
}

// listens tells whether workers have a listener of their own.
func (a *Attach) listens() bool { return a.Address != "off" }

// hasCredentials tells whether anybody is known by a token or a certificate.
func (a *Attach) hasCredentials() bool { return len(a.Tokens)+len(a.Certificates) > 0 }
