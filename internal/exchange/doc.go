// Package exchange holds one request and its response the way everything
// between server and transport sees them: no protocol, no configuration, no
// file.
//
// A server (HTTP/1.1 today; others enter the same way) fills in a [Request] and
// hands an [Exchange] to a [Handler]. The handler obtains a [Response] from an
// endpoint and gives it back through the exchange's [Responder], which streams
// it to the client. What happened is left in the exchange's [Outcome], for
// whoever observes.
//
// # Lifetimes
//
// Names, values, method, path and every other []byte of a Request or a Response
// are slices of the connection's buffer: nothing is copied and nothing is
// allocated on the plain path. They are valid until Serve returns (Request) or
// until the response's round trip is closed (Response). Whoever keeps one longer
// takes a copy. Tests poison buffers on release to hold everyone to it.
//
// # Concurrency
//
// An Exchange belongs to the goroutine that serves it. The one exception is the
// request's Body, which a transport may read from a second goroutine, its own,
// that ends before the round trip does.
package exchange
