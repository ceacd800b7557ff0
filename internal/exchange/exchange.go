package exchange

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// A Handler answers exchanges: it gives the response to x.Responder, exactly
// once, and returns when both messages are done with. It may be called
// concurrently for different exchanges.
type Handler interface {
	Serve(x *Exchange)
}

// HandlerFunc is a function that is a Handler.
type HandlerFunc func(x *Exchange)

// Serve calls f.
func (f HandlerFunc) Serve(x *Exchange) { f(x) }

// An Exchange is one request, and the way back to whoever sent it.
type Exchange struct {
	Request   Request
	Responder Responder
	// Client is who sent the request.
	Client Client
	// ID is the event id: unique and increasing within the process.
	ID []byte
	// ClientRequestID is the X-Request-Id that a trusted proxy sent.
	ClientRequestID []byte
	// Start is when the head had arrived, on the clock of Now.
	Start time.Duration
	// Deadline is when the exchange must be over, on the clock of Now; 0 is
	// never.
	Deadline time.Duration
	// TryDeadline is when the present try must have its response head, on the
	// clock of Now; 0 is never. Another try may follow.
	TryDeadline time.Duration
	// Repeatable: the request may be sent more than once, because its method is
	// idempotent or because the service allows it.
	Repeatable bool
	// WriteTimeout bounds how long the client may take no byte of its answer,
	// TunnelTimeout how long a tunnel may carry nothing.
	WriteTimeout, TunnelTimeout time.Duration
	// Continued says that the client was told to go on sending content (100).
	Continued bool
	// Gone becomes true when the client has left and nobody waits for the
	// answer any more. Never nil while the exchange is served.
	Gone *atomic.Bool
	// Outcome is what came of it, for whoever observes.
	Outcome Outcome
	// Notes are what was seen of the response for whoever observes, who comes when
	// that is gone.
	Notes []Note
	// Scratch is memory that lives as long as the request's head does: values
	// that are made for this exchange are appended to it.
	Scratch []byte
}

// roomy is how large a value may be to go into Scratch, which stays with the
// connection.
const roomy = 2 << 10

// Keep returns a copy of b that lives as long as the exchange.
func (x *Exchange) Keep(b []byte) []byte {
	if len(b) > roomy || len(x.Scratch) > 4*roomy {
		return append([]byte(nil), b...)
	}
	at := len(x.Scratch)
	x.Scratch = append(x.Scratch, b...)
	return x.Scratch[at:len(x.Scratch):len(x.Scratch)]
}

// A Note is one value, as JSON.
type Note struct {
	Name  string
	Value []byte
}

// Noted returns the value of a name; nil if there is none.
func (x *Exchange) Noted(name string) []byte {
	for i := range x.Notes {
		if x.Notes[i].Name == name {
			return x.Notes[i].Value
		}
	}
	return nil
}

// Client is the connection that a request came over.
type Client struct {
	// Peer is the address of the connection's other end, Addr the address of
	// the client as far as proxies that are trusted tell it. Both are the zero
	// AddrPort on a Unix socket.
	Peer netip.AddrPort
	Addr netip.Addr
	// PeerText is Peer's address without its port, as it goes into
	// X-Forwarded-For.
	PeerText []byte
	// Listener is the address of the listener, as it was configured.
	Listener string
	// TLS tells whether the connection is secured, and Connection how; nil if it is
	// not.
	TLS        bool
	Connection *tls.ConnectionState
}

// A Responder sends the response to the client. Errors are of type *Failure and
// tell which side failed.
type Responder interface {
	// Inform sends an interim response (1xx other than 101).
	Inform(*Response) error
	// Respond sends a final response, streaming its content as it arrives, or
	// switches protocols and carries the tunnel until both sides are done.
	Respond(*Response) error
}

// Outcome is what came of an exchange.
type Outcome struct {
	Service string
	// Endpoint is the name of the endpoint that answered, Index its place in
	// the service's list. Without an answer Index is -1.
	Endpoint string
	Index    int
	// Status is the status sent to the client; 0 if none could be.
	Status int
	// Failure is why there was no proper answer, or why it was cut short.
	Failure *Failure
	// Attempts counts how many times an endpoint was called.
	Attempts int
	// Tries are the calls of endpoints that did not give the client its answer,
	// in the order in which they ended. On the plain path there are none.
	Tries []Try
	// Queued is how long the request waited for an endpoint to be free.
	Queued time.Duration
	// RequestBytes and ResponseBytes count content, not heads.
	RequestBytes, ResponseBytes int64
	// Duration is from Start until the response was sent.
	Duration time.Duration
}

// A Try is one call of an endpoint that did not give the client its answer.
type Try struct {
	// Endpoint is the name of the endpoint.
	Endpoint string
	// Status is that of its response; 0 if there was none.
	Status int
	// Failure is why there was none; nil if there was one.
	Failure *Failure
	// Duration is from the call to the response's head, or to the failure.
	Duration time.Duration
}

// epoch is before any time there is: virtual time begins in the year 2000, and
// moments are never negative.
var epoch = time.Now().Add(-64 * 365 * 24 * time.Hour)

func httpDate() string { return time.Now().UTC().Format(http.TimeFormat) }

// Now returns the present moment, on the monotonic clock. It tells nothing by
// itself, only how far it is from other moments; it is never 0.
func Now() time.Duration { return time.Since(epoch) }
