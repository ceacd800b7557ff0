// Package sidecar is what a worker does that has no program of its own: it
// forwards each request to one local server, and the answer back.
//
// # What is forwarded
//
// A request comes in over HTTP/2 and leaves as HTTP/1.1, or as HTTP/2 in clear
// text if the local server speaks that (h2c). Fields, their repetitions and the
// order of those of one name stay, and so do path and query, byte for byte. Who
// the client is was told by the router already; nothing is added to that.
// Connection, what it names, and the other fields of one connection go (RFC 9110
// §7.6.1). Of HTTP/1.1 itself are only the framing and Host; a POST, PUT or PATCH
// without content says Content-Length: 0.
//
// The answer goes back the same way: no field is invented, none is lost, content
// streams as it comes, trailers follow it, interim responses precede it. Where the
// local server breaks off, the stream is reset, so that nobody takes half an
// answer for a whole one.
//
// An extended CONNECT (RFC 8441) with the protocol websocket becomes an upgrade
// of HTTP/1.1, and 101 becomes 200; see websocket.go.
//
// # What can go wrong
//
// A request that the local server did not answer is answered with 502 or 504 and
// a problem document (RFC 9457), whose member error is one of those that the
// router itself answers with. A handler has no timeouts but the one to connect:
// the router has them, and resets the stream. Then the connection to the local
// server is closed, which is how HTTP/1.1 tells that nobody wants the answer.
//
// # Connections to the local server
//
// There are as many as there are requests, and those kept idle are bounded by
// [Options.Concurrency]. They are kept so briefly that a server will not close one
// just when it is used again. A request that meets one that is closed all the same
// is sent again if nothing of it had left, or if it is a GET, HEAD, OPTIONS or
// TRACE without content; no other request is ever sent twice.
package sidecar
