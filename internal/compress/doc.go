// Package compress has clients get responses compressed that asked for it: gzip
// (RFC 1952) and zstd (RFC 8878), negotiated by Accept-Encoding (RFC 9110
// §12.5.3).
//
// A response is compressed if the client asked for a coding, if its type is one
// of those that get smaller, and if nothing speaks against it: content that is
// coded already, partial, short, or that nobody may transform (Cache-Control:
// no-transform), answers to HEAD, and server-sent events unless they are asked
// for by name. Everything else passes untouched.
//
// What a response says of its content is kept true: Content-Encoding and Vary are
// added, a strong ETag becomes a weak one (RFC 9110 §8.8.1), length, ranges and
// digests (RFC 9530) go, in the trailer section too.
//
// # Streams
//
// A [Body] reads its source as a Responder would. Whenever the source has nothing
// more at the moment, what there is is flushed, so that a client gets everything
// that has arrived. A source that fails midway has its failure passed on, and the
// compressed content has no end: the client sees that it is not all.
//
// # Memory
//
// An encoder takes about 1 MiB, for as long as its response takes. [Encoders]
// bounds how many there are at a time; a response that finds none left passes as
// it is. They write no faster than the client takes, and hold at most a block.
package compress
