// Package weir is a load-balancing reverse proxy: an importable one, of which the
// command weir is one user.
//
// # Use
//
// A [Proxy] is made of a [Config], which is either read from a file by [Load] or
// written as a Go literal; what is left out has its default. It serves by itself
// ([Proxy.Serve] opens the listeners of the configuration), or inside another program
// as an [http.Handler] ([Proxy.ServeHTTP]). [Proxy.Apply] has it go by another
// configuration, whole or not at all, without losing a request, a connection or a
// counter that it does not concern. [Proxy.Shutdown] ends it.
//
//	p, err := weir.New(weir.Config{Services: map[string]config.Service{
//		"web": {Endpoints: []config.Endpoint{{URL: "http://10.0.0.1:8000"}, {URL: "http://10.0.0.2:8000"}}},
//	}})
//	…
//	http.ListenAndServe(":8080", p)
//
// What a program brings of its own comes through small interfaces: endpoints by a
// [provider.Provider] ([WithProvider]), the choice among them by a [balance.Policy]
// ([WithPolicy]), the service of a request by an [Extractor] ([WithExtractor]).
// [WithFailures] and [Proxy.Events] tell what happens to endpoints.
//
// All methods of a Proxy may be called concurrently. Functions that a program brings
// are called concurrently too, some of them while a request waits; each says so.
//
// # The life of a request
//
//	client ─▶ server ─▶ front ─▶ router ─▶ service ─▶ pool ─▶ balance
//	                                          │
//	                                          └─▶ transport ─▶ endpoint
//
// The server (internal/server) parses a request and makes an exchange of it; a
// handler (internal/handler) makes one of a request that net/http has parsed. The
// front, in this package, tells endpoints who the client is (internal/forwarding)
// and asks the router (internal/router) for the most specific route. Its service
// (internal/service) has its pool (internal/pool) choose an endpoint, and the
// transport (internal/transport) makes the round trip. The answer streams back
// the same way, and the observer (internal/observe) counts and logs it.
//
// This package is the only place that knows all the others: it makes a plan of
// a configuration, once, and everything below works on the plan. Three things are
// kept apart: what was written (package config), what was decided (the plan, which is
// immutable), and what lives on from one configuration to the next (services with
// their endpoints, connections, states and counters).
package weir
