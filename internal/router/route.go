package router

// A Route says which requests it takes, and what takes them.
type Route[T any] struct {
	// Host is "" or "*" for any host, a name ("shop.example.com"), an IP
	// literal ("10.0.0.1", "[::1]"), or a wildcard ("*.example.com") that
	// stands for one or more labels. It carries no port.
	Host string

	// Path is a pattern of segments: literal, "{name}", and, only as the last
	// one, "*". See the package documentation.
	Path string

	// Methods are those that the route takes. If empty, all. GET admits HEAD.
	Methods []string

	// Headers must all hold. If empty, none is asked for.
	Headers []HeaderCondition

	// Guard is a condition that the table knows only by its text: whoever
	// matches asks it, and goes on with Match.Next if it does not hold. Routes
	// that differ in it alone are tried as written, before one that has none.
	Guard string

	// Target is what Match yields.
	Target T

	// Name is how errors call the route, such as "routes[3] (weir.yaml:12)".
	// If empty, its place: "routes[3]".
	Name string
}

// A HeaderCondition holds if any field line of the request that is called
// Name, in whatever case, has exactly Value.
type HeaderCondition struct {
	Name, Value string
}

// Request is what a route with header conditions asks of a request. It is
// consulted only for routes whose host and path match.
type Request interface {
	// HasHeader reports whether a field line called name has exactly value.
	// The name comes in lower case and is to be compared without regard to
	// case. A field that is repeated has several lines; one that fits is enough.
	HasHeader(name, value string) bool
}
