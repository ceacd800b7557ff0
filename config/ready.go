package config

// CORS lets pages of other origins read what a route answers.
type CORS struct {
	// The origins: `https://app.example.com`, `https://*.example.com` for every name below it, or `*` alone for any.
	Origins []string `yaml:"origins" required:"no page may read anything" scalar:"true"`
	// The methods that such pages may use, or `*` alone for any.
	Methods []string `yaml:"methods" default:"GET,HEAD,POST" scalar:"true"`
	// The request fields that such pages may send besides those that browsers send anyway, or `*` alone for any.
	Headers []string `yaml:"headers" scalar:"true"`
	// The response fields that such pages may read besides those that browsers show anyway, or `*` alone for any.
	Expose []string `yaml:"expose" scalar:"true"`
	// Let browsers send cookies and credentials. Then nothing here may be `*`.
	Credentials bool `yaml:"credentials" default:"false"`
	// How long a browser may remember the answer to its preflight request.
	MaxAge Duration `yaml:"max_age" default:"0s" max:"24h" zero:"as long as the browser likes, which is seconds"`
}

// Compress is which responses are compressed. In the file it may be written as
// `true`.
type Compress struct {
	// Off: none is; in the file it is the scalar `compress: false`.
	Off bool `yaml:"-"`
	// The media types to compress: `application/json`, `text/*`, or `*/*+json` for every type of that suffix.
	Types []string `yaml:"types" default:"text/*,application/json,application/javascript,application/xml,application/wasm,*/*+json,*/*+xml" scalar:"true"`
	// Content that is known to be smaller stays as it is.
	MinSize Size `yaml:"min_size" default:"1KiB" zero:"all is compressed"`
	// How, the preferred first, as far as the client takes them alike.
	Algorithms []string `yaml:"algorithms" default:"zstd,gzip" enum:"zstd,gzip" scalar:"true"`
}

// RateLimit is how many requests a client may send. More are answered with 429 and
// Retry-After.
type RateLimit struct {
	// Requests that are let through in each `per`.
	Requests int `yaml:"requests" required:"nothing is limited" min:"1" max:"1000000000"`
	// The span of time that `requests` are for.
	Per Duration `yaml:"per" default:"1s" min:"10ms" max:"24h"`
	// Requests that may come at once, after a time with none.
	Burst int `yaml:"burst" default:"0" max:"1000000000" zero:"as many as requests"`
	// What a client is: requests for which this is equal share one limit. A [selector](#selectors), or another [expression](#expressions).
	Key Expression `yaml:"key" default:"client.address"`
	// How many clients are remembered at once; for one more, that which was quiet longest is forgotten.
	Clients int `yaml:"clients" default:"100000" min:"1" max:"10000000"`
}
