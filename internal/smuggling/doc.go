// Package smuggling holds a corpus of messages that two readers may take for
// different ones, and judges what a proxy makes of them.
//
// # The corpus
//
// A file under testdata is a txtar archive: a comment that says what is wrong
// with the message and whom it has hurt, what is expected, and the bytes.
//
//	Both framings at once (CVE-2026-2835).
//	-- expect --
//	refused 400 malformed_request
//	-- request --
//	POST / HTTP/1.1\r\n
//	Host: a.example\r\n
//	Content-Length: 4\r\n
//	Transfer-Encoding: chunked\r\n
//	\r\n
//	0\r\n
//	\r\n
//
// Line ends of the file mean nothing; only escapes make them: \r \n \t \\ \xNN,
// and \{3000 ab} for ab 3000 times. Sections named "after" are sent when one more
// answer, an interim one included, has come.
//
// Lines of expect, in the order of the messages:
//
//	forwarded METHOD TARGET HOST ["body"]   reached an endpoint, exactly so; HOST - is any
//	has NAME: VALUE                         the message above has that field, once
//	lacks NAME                              it has no such field, nor trailer
//	answered STATUS ERROR                   by the proxy; the connection goes on
//	refused STATUS ERROR [head]             by the proxy, which closes; nothing of
//	                                        the message reached an endpoint
//	tunnel "bytes"                          the protocol was switched, and that is
//	                                        what the endpoint read afterwards
//	closed                                  after the last answer
//	only MODE...                            the ways of sending that make sense
//
// # The ways of sending
//
// Whole: in one write with a sentinel request behind it, which must be answered
// as such unless the connection closes. Drip: the same, one byte a write.
// HalfClose: no sentinel, the client's half of the connection is closed instead.
//
// # What is always held
//
// Whatever an endpoint saw was answered, once, in order, to the client that sent
// it; no field passes that Connection names, or that is for one hop;
// X-Forwarded-For says what the proxy knows and nothing else; what leaves the
// proxy is HTTP/1.1 without any liberty (see CheckWire).
//
// Responses have a corpus of their own, in testdata/response; see ResponseCase.
package smuggling
