// Package attach is the router's door for workers that dial in. It ends with a
// connection whose worker is known and allowed, and whose HTTP roles are swapped:
// the worker is the server on it, the router the client. What is then spoken on
// it is the business of whoever it is announced to.
//
// # Three doors on one listener
//
//	Upgraded   HTTP/1.1, GET /.well-known/weir/attach with Upgrade: ptth
//	Reversed   TLS with ALPN rh2; the worker says who it is in the answer to the
//	           router's first request (see Door.Identify)
//	Dialed     TLS with ALPN h2, as HAProxy dials: the worker begins like a client
//	           of HTTP/2 and is known by its certificate
//
// A client that offers http/1.1 beside h2 is taken for an ordinary client of
// HTTP/1.1; only one that offers h2 without it means the third door.
//
// The first two are also on listeners for clients, where package server recognises
// them: it has the request decided about (Door.Ask), and hands over what ALPN has
// reversed (Door.Reverse). There nobody counts as local.
//
// # Bounds
//
// Until its worker is known, a connection has [Options.Timeout] and 64 KiB, its
// request 16 KiB. At most [Options.Handshakes] are that far at a time: one more
// closes the oldest, so that who stalls on purpose keeps nobody out. On a listener
// for clients its own limits hold until then, and a place is taken only by what
// ALPN has reversed.
package attach
