// Package weir is a load-balancing reverse proxy.
//
// # The life of a request
//
//	client ─▶ server ─▶ front ─▶ router ─▶ service ─▶ pool ─▶ balance
//	                                          │
//	                                          └─▶ transport ─▶ endpoint
//
// The server (internal/server) parses a request and makes an exchange of it. The
// front, in this package, tells endpoints who the client is (internal/forwarding)
// and asks the router (internal/router) for the most specific route. Its service
// (internal/service) has its pool (internal/pool) choose an endpoint, and the
// transport (internal/transport) makes the round trip. The answer streams back
// the same way, and the observer (internal/observe) counts and logs it.
//
// This package is the only place that knows all the others: it makes a plan of
// a configuration, once, and everything below works on the plan.
package weir
