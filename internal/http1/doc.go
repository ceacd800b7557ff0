// Package http1 is the HTTP/1.1 wire, both sides: it parses heads, frames
// content and serializes both, and does no I/O of its own (RFC 9112).
//
// # Layers
//
//	HeadEnd, SkipEmptyLine, CheckStart   where a head is, and whether it can be one
//	ParseRequest, ParseResponse          a head, in place, into an exchange's message
//	Framing, BodyReader                  where the content that follows it ends
//	AppendRequestHead, AppendResponseHead, AppendChunk …   the way out
//	Reuse                                whether a connection can be used again
//
// # Strictness
//
// Whatever two implementations could read differently is refused, on both
// sides: that is what request smuggling is made of. What is sent on is rebuilt
// from what was parsed, never copied raw, so that parser and forwarder cannot
// disagree. Refusals are of type *[exchange.Failure] and say in words what was
// wrong; they are shared by all connections, so a caller that wants to change
// one changes a copy.
//
// # Memory
//
// Parsed names and values are slices of the head that was given, content is
// handed out as slices of the connection's buffer, and serializers append to
// what the caller brings: nothing here allocates on a plain path.
package http1
