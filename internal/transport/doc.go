// Package transport makes one round trip to one endpoint.
//
// An [HTTP1] is an endpoint reached by HTTP/1.1, with its pool of idle
// connections. A [Call] is one round trip: it has the response, whose content is
// read from the endpoint's connection while it is passed on, and it is closed
// when both messages are done with. Then the connection goes back to the pool,
// if everything about the exchange says that it can carry another one.
//
// The round trip runs on the goroutine that calls it. Only content that has not
// arrived yet when the head leaves gets a second goroutine, which ends before the
// call does. Another goroutine may end the round trip by its [Stop]. One request may
// be on its way to several endpoints at once, each with an exchange of its own.
//
// A [Check] asks an endpoint whether it is well, on a connection of its own.
package transport
