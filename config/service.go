package config

// Service is a set of endpoints that do the same, and how they are treated.
type Service struct {
	// Where requests go. Each may be written as its URL alone.
	Endpoints []Endpoint `yaml:"endpoints"`
	// Sources of further endpoints, which come and go while Weir runs. Those that name a version serve that version of the service.
	Provider *Provider `yaml:"provider"`
	// Versions of the service, by name: routes lead to them as `service@version`. Workers and sources may bring others. Everything else that is written of the service holds for them, too; each has limits and a queue of its own.
	Versions map[string]Version `yaml:"versions"`
	// The shares of versions, such as `{ v1: 90, v2: 10 }`, in requests whose route names none. With `hash_on`, requests with the same value go to the same version. A version without any endpoint gets nothing while another has some.
	Split map[string]int `yaml:"split"`
	// How strategies `single` and `hedge` choose one endpoint among several: `first` in the order written, `hash` and `maglev` by `hash_on`, so that what has the same value goes to the same endpoint.
	Balance string `yaml:"balance" default:"round_robin" enum:"round_robin,least_load,random,first,hash,maglev"`
	// What `hash` and `maglev` place a request by, and `split` if it is written: a [selector](#selectors), or another [expression](#expressions). Left out: `client.address`.
	HashOn Expression `yaml:"hash_on"`
	// Sends the requests of a client that shows the cookie to the endpoint that it had before, as long as that can take them.
	Sticky *Sticky `yaml:"sticky"`
	// How many endpoints are asked, and when: `single` asks one, and another one after a failure named in `retry.on`; `failover` asks one after the other in the order written; `fanout` asks all at once; `hedge` asks one, and one more when `hedge.after` has passed.
	Strategy string `yaml:"strategy" default:"single" enum:"single,failover,fanout,hedge"`
	// Which answers `failover`, `fanout` and `hedge` take: [classes and codes](#status-codes), or one [expression](#expressions) of the response, such as `response.status < 500`. For `single`, `retry.on` decides.
	Usable Usable `yaml:"usable" default:"1xx,2xx,3xx,4xx" scalar:"true"`
	// Let requests that are not idempotent, such as POST and PATCH, be sent to more than one endpoint.
	NonIdempotent bool `yaml:"non_idempotent" default:"false"`
	// Requests under way at once, over all endpoints. More wait in the queue.
	Concurrency int `yaml:"concurrency" default:"0" max:"10000000" zero:"unlimited"`
	// Where requests wait that no endpoint can take yet.
	Queue Queue `yaml:"queue"`
	// How a request is tried again.
	Retry Retry `yaml:"retry"`
	// When strategy `hedge` asks one more.
	Hedge Hedge `yaml:"hedge"`
	// How failures make an endpoint rest. The scalar `off`: they never do.
	Backpressure Backpressure `yaml:"backpressure"`
	// Asks each endpoint again and again whether it is well. Left out: nobody asks.
	Health *Health `yaml:"health"`
	// How long an endpoint that comes back takes to get its whole share of the requests.
	SlowStart Duration `yaml:"slow_start" default:"0s" zero:"it has it at once"`
	// How `https` endpoints are spoken to.
	TLS *ClientTLS `yaml:"tls"`
	// The connections kept open to each endpoint.
	Pool Pool `yaml:"pool"`
	// The bounds that keep every request from hanging.
	Timeouts Timeouts `yaml:"timeouts"`
	// The Host field that endpoints see: `preserve` is the client's, `endpoint` the one in the endpoint's URL, anything else is sent as written.
	Host string `yaml:"host" default:"preserve"`
}

// hashes tells whether requests are placed by a hash of a part of them.
func (s Service) hashes() bool { return s.Balance == "hash" || s.Balance == "maglev" }

// Endpoint is one address that serves a service. In the file it may be written
// as its URL alone.
type Endpoint struct {
	// `http://host:port`, `https://host:port` or `unix:/path`; http and https may carry a base path and a query.
	URL string `yaml:"url" required:"true"`
	// Its identity across reloads. Left out: the URL, and its place among equal ones.
	Name string `yaml:"name"`
	// Its share of the requests, relative to the others of the service.
	Weight int `yaml:"weight" default:"1" min:"1" max:"1000"`
	// Requests under way at once. More go to other endpoints, or wait in the queue.
	Concurrency int `yaml:"concurrency" default:"0" max:"10000000" zero:"unlimited"`
	// Fields that each request to it carries, in the order written; they win over the client's.
	Headers Fields `yaml:"headers"`
	// Where it stands, for people and expressions.
	Zone string `yaml:"zone"`
	// Further attributes, for people and expressions; at most 32, and 1024 bytes together.
	Labels map[string]string `yaml:"labels"`
	// Replaces the service's `tls` as a whole.
	TLS *ClientTLS `yaml:"tls"`
}

// Fields are header fields in the order they were written.
type Fields []Field

// Field is one header field.
type Field struct{ Name, Value string }

// ClientTLS is how an endpoint is verified, and what is shown to it.
type ClientTLS struct {
	// PEM file of the authorities to trust. Left out: the system's.
	CA string `yaml:"ca"`
	// PEM file of the client certificate to show.
	Cert string `yaml:"cert"`
	// PEM file of its private key.
	Key string `yaml:"key"`
	// The name to ask for and to verify. Left out: the host of the URL.
	ServerName string `yaml:"server_name"`
	// Accept any certificate: for tests only.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify" default:"false"`
}

// Pool bounds the idle connections to one endpoint.
type Pool struct {
	// Idle connections kept per endpoint.
	MaxIdle int `yaml:"max_idle" default:"256" max:"100000" zero:"none is kept"`
	// The age at which a connection is closed rather than used again.
	MaxAge Duration `yaml:"max_age" default:"0s" zero:"no limit"`
}

// Timeouts bound each phase of a request to an endpoint.
type Timeouts struct {
	// To open a connection, with its TLS handshake.
	Connect Duration `yaml:"connect" default:"1s" min:"1ms"`
	// From the end of the request to the head of the response.
	Response Duration `yaml:"response" default:"60s" min:"1ms"`
	// Between two reads of a response body.
	Read Duration `yaml:"read" default:"60s" min:"1ms"`
	// Between two writes, to the endpoint and to the client.
	Write Duration `yaml:"write" default:"60s" min:"1ms"`
	// How long an unused connection to an endpoint is kept.
	Idle Duration `yaml:"idle" default:"90s" min:"1ms"`
	// How long an upgraded connection may carry nothing in either direction.
	Tunnel Duration `yaml:"tunnel" default:"1h" zero:"no limit"`
	// From the request's head to the end of its response, over all tries.
	Request Duration `yaml:"request" default:"0s" zero:"no limit"`
}
