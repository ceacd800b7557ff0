// Package cors lets pages of other origins use a route: the server's half of the
// CORS protocol of the Fetch standard (https://fetch.spec.whatwg.org, HTTP-CORS
// protocol).
//
// A preflight, an OPTIONS request with Origin and Access-Control-Request-Method,
// is answered with 204 and never reaches an endpoint: with what the policy allows
// if the origin is one of its own, without any field of CORS if not. What exactly
// is asked for is not compared; the browser does that, and tells the developer
// what is missing.
//
// Other requests pass, whatever their origin: CORS decides who may read an answer,
// not who may ask. Answers to an origin of the policy say so; everything that an
// endpoint itself says of CORS is dropped, so that there is one policy. Answers
// that depend on the origin say Vary: Origin, to every client.
//
// The origin "null", which every sandboxed page and file has, can be listed, but
// is never given credentials.
package cors
