// Package server accepts clients' connections and makes exchanges of what
// arrives on them.
//
//	Server ── Serve(listener) ── accept ── client ── step ── exchange ── Handler
//
// A [Server] has one goroutine per connection. It lives inside the connection's
// read loop (see package conn): each step parses what has arrived and serves
// every request that is complete, content included, right there. A request that
// is not (its content is still coming, or it wants to switch protocols) makes
// the goroutine leave the loop, because then somebody has to read from the
// client meanwhile; afterwards it goes back.
//
// Where a listener has an [Attacher], a connection may turn out to be a worker's: by
// a request to attach, or by ALPN. Then it leaves the server as if it had been
// closed, and goes on as somebody else's.
//
// While a client is idle it holds no buffer: a workspace is taken from a pool
// when bytes arrive and goes back when the last request is answered.
package server
