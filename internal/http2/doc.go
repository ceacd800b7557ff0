// Package http2 is the client's side of an HTTP/2 connection (RFC 9113): Weir
// sends requests over a connection that a worker has opened, and on which the
// worker is the server.
//
// # The life of a request
//
//	RoundTrip   encodes the head and collects content that is there (compose);
//	            takes a place and the next stream id, and puts both into what is
//	            to be written (open); sends later content on a goroutine of its
//	            own (upload); waits, passing on interim responses (awaitHead)
//	Response    its content is handed out as it arrives; what was read widens the
//	            stream's window again
//	Close       says RST_STREAM(CANCEL) unless both sides have sent everything, or
//	            only the word is missing that they have (bury)
//
// A connection has one goroutine that reads, one that writes while there is
// something to write, and one timer. Everything else happens on the goroutines of
// those who call. No request has a timer: the connection looks at all deadlines
// every 50 ms while it carries any, so they are that exact. No caller ever waits
// for the network itself, so deadlines hold although the peer takes nothing.
//
// # What it costs
//
// Calls of the system are most of it, and they are shared: the writer lets all who
// have something to send put it down first, and a read takes the frames of many
// answers. bench_test.go, and the kind attached of make bench, measure it.
//
// # What is sent, and what is believed
//
//	HEADERS, CONTINUATION  §4.3, §6.2, §8   encode.go, decode.go, receive.go
//	DATA, WINDOW_UPDATE    §5.2, §6.1, §6.9 flow.go, upload.go, body.go
//	SETTINGS               §6.5             settings.go
//	RST_STREAM, GOAWAY     §6.4, §6.8       goaway.go
//	PING                   §6.7             ping.go
//	floods                 §10.5            flood.go, decode.go
//	fields                 RFC 7541         encode.go (static table only), decode.go
//	extended CONNECT       RFC 8441         tunnel.go
//
// A worker is not trusted. Whatever breaks the rules ends the stream, or the
// connection where RFC 9113 says so; frames that bring nothing are bounded by a
// budget that requests and content fill up again.
//
// # Memory
//
// An idle connection has a buffer of 4 KiB to read into, twice 4 KiB at most for
// frames to be written, the table of the decoder (4 KiB at most), and the stack of
// one goroutine: less than 32 KiB. A peer that splits heads inside of a field can
// make the decoder keep up to four times Limits.HeaderBytes more. One with requests
// has 64 KiB to read into if it receives much; they go back once nothing is under
// way, or with the answer to the next PING when requests were given up. It has for
// each request up to Options.StreamWindow of content that its client has not read,
// once more of content being handed out, and three heads; and up to 0.5 MiB and one
// head to be written in all, if the peer takes nothing.
package http2
