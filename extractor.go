package weir

import (
	"net/netip"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/router"
)

// An Extractor is a program's own way for a request to name its service. It is asked
// before the routes are. Extract may be called concurrently, and waits for nothing.
type Extractor interface {
	// Extract returns where a request goes; false leaves it to the routes.
	Extract(r Request) (Target, bool)
}

// ExtractorFunc is a function that is an Extractor.
type ExtractorFunc func(r Request) (Target, bool)

// Extract calls f.
func (f ExtractorFunc) Extract(r Request) (Target, bool) { return f(r) }

// A Target is where an [Extractor] sends a request.
type Target struct {
	// Service is the name of a service, Version that of one of its versions. If there
	// is none of that name the request is answered 404. Without a Version it goes to
	// the service itself, or as its split says.
	Service, Version string
	// Path is the path that the endpoint sees, percent-encoded. If empty, it is that of
	// the request. One that a request could not have is answered 404.
	Path string
}

// WithExtractor has e say which service a request is for. What it leaves alone goes
// by the routes.
func WithExtractor(e Extractor) Option { return func(p *Proxy) { p.extractor = e } }

// A Request is what an [Extractor] may see of a request. It holds only until Extract
// returns; the texts that its methods return stay.
type Request struct{ x *exchange.Exchange }

// Method returns the method, such as GET.
func (r Request) Method() string { return string(r.x.Request.MethodName) }

// Host returns the host that the client asked for, with the port if it named one.
func (r Request) Host() string { return string(r.x.Request.Authority) }

// Path returns the path as it was received, percent-encoded.
func (r Request) Path() string { return string(r.x.Request.Path) }

// Query returns what follows the question mark, as it was received.
func (r Request) Query() string { return string(r.x.Request.Query) }

// Header returns the value of the first field line of that name, whatever its case;
// empty if there is none.
func (r Request) Header(name string) string {
	value, _ := r.x.Request.Header.Lookup(name)
	return string(value)
}

// Client returns the address of the client, as far as trusted proxies tell it; the
// zero Addr if it came over a Unix socket.
func (r Request) Client() netip.Addr { return r.x.Client.Addr }

// extract serves a request whose service the extractor names; false if it does not.
//
//go:noinline
func (pl *plan) extract(x *exchange.Exchange) bool {
	to, ok := pl.extractor.Extract(Request{x})
	if !ok {
		return false
	}
	if to.Path != "" && !isPath(to.Path) {
		_ = pl.problems.Respond(x, exchange.Fail(exchange.CodeNoRoute, "", nil))
		return true
	}
	s := pl.services.version(to.Service, []byte(to.Version))
	if s == nil {
		_ = pl.problems.Respond(x, exchange.Fail(exchange.CodeUnknownService, "", nil))
		return true
	}
	if to.Path != "" {
		x.Request.Path = []byte(to.Path)
	}
	pl.dispatch(x, s, 0)
	return true
}

// isPath reports whether a request may have that path.
func isPath(path string) bool {
	for i := range len(path) {
		if path[i] <= ' ' || path[i] > '~' || path[i] == '?' || path[i] == '#' {
			return false
		}
	}
	return path[0] == '/' && router.CheckPath([]byte(path)) == nil
}
