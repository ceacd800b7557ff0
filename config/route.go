package config

import "net/netip"

// Route sends the requests that match to a service.
type Route struct {
	// Which requests. Left out: all.
	Match Match `yaml:"match"`
	// The name of a service, `name@version`, or captures of `match.path` in place of either: `{capture}`, `{capture}@{capture}`, `name@{capture}`, `{capture}@version`. Versions are those of `services.*.versions`, and those that workers and sources bring.
	Service string `yaml:"service" required:"true"`
	// What becomes of a request when there is no such service, or no such version of it: `true` tries the next route that matches, `false` answers 404.
	Fallthrough bool `yaml:"fallthrough" default:"false"`
	// Segments taken off the front of the path before it is forwarded, captures as they are written in the path of the match, which begins with them.
	StripPrefix string `yaml:"strip_prefix"`
	// From the request's head to the end of its response.
	Timeout Duration `yaml:"timeout" default:"0s" zero:"the service's timeouts.request"`
	// [Steps](#steps) that requests take on their way to an endpoint, in the order written.
	Request []Step `yaml:"request"`
	// [Steps](#steps) that responses take on their way to the client, in the order written.
	Response []Step `yaml:"response"`
	// What becomes of a step whose expression fails at run time: `skip` leaves the step out and counts it, `fail` answers 500.
	OnError string `yaml:"on_error" default:"skip" enum:"skip,fail"`
	// Tell endpoints of the client in the Forwarded field, as RFC 7239 has it.
	Forwarded string `yaml:"forwarded" default:"off" enum:"off,rfc7239"`
	// Add a Via field to requests and responses.
	Via bool `yaml:"via" default:"false"`
	// Let pages of other origins read the answers.
	CORS *CORS `yaml:"cors"`
	// Compress responses for clients that take them so. `true` stands for all its defaults.
	Compress *Compress `yaml:"compress"`
	// Size of a request body; more is answered with 413.
	MaxBody Size `yaml:"max_body" default:"0" zero:"limits.body_bytes alone"`
	// How many requests a client may send.
	RateLimit *RateLimit `yaml:"rate_limit"`
	// The clients that are let in; others are answered with 403. Left out: all.
	Allow []netip.Prefix `yaml:"allow" scalar:"true"`
	// The clients that are answered with 403, even those that `allow` has.
	Deny []netip.Prefix `yaml:"deny" scalar:"true"`
}

// Match says which requests a route is for. All its conditions must hold.
type Match struct {
	// A host name, or `*.example.com` for every name below example.com. Left out: any.
	Host string `yaml:"host"`
	// Segments, each a literal or a whole `{capture}`; `*` as the last stands for any rest, an empty one too.
	Path string `yaml:"path" default:"/*"`
	// The methods it is for. Left out: any.
	Methods []string `yaml:"methods"`
	// Fields that must be there with exactly these values.
	Headers map[string]string `yaml:"headers"`
	// An [expression](#expressions) that must hold. Of routes that differ in it alone, the first in the order written whose expression holds gets the request, and one without if none does; an expression that fails does not hold.
	When Expression `yaml:"when"`
}
