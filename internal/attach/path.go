package attach

// The paths by which a router speaks with a worker over the connection that the
// worker has opened. Requests of clients never have them there.
const (
	// WorkerPath is asked for by GET on a connection that came in by ALPN: the
	// worker says who it is.
	WorkerPath = "/.well-known/weir/worker"
	// DrainPath is asked for by POST: the worker is to open another connection, and
	// then to leave this one.
	DrainPath = "/.well-known/weir/drain"
)
