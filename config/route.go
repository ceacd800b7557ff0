package config

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
}
