// Package handler makes exchanges of the requests that net/http serves, so that a
// proxy is an http.Handler within another program.
//
//	net/http ── ServeHTTP ── workspace ── exchange ── exchange.Handler
//
// It is the sibling of package server. A request is written down as HTTP/1.1 has
// it and parsed like any other, so that what is refused there is refused here, and
// what is passed on is the same, whichever version of HTTP it came over and
// whoever made it. Order and case of fields are lost before that.
//
// # Goroutines
//
// An exchange is served on the goroutine of ServeHTTP. A request without content
// has no other. Content is read by a goroutine for each Read, because nobody can
// make a Read that waits return and then go on: who waits for it can be
// interrupted, and who comes next gets what it has read. None outlives ServeHTTP.
//
// # What a ResponseWriter has to be able to do
//
// Flush, deadlines, reading while writing (full duplex) and Hijack are asked of it
// through http.ResponseController. A ResponseWriter that wraps another has to have
// Unwrap; without it, nothing is flushed before the end and protocols are not
// switched.
package handler
