package exchange

import "io"

// Lengths of content that are not a number of bytes.
const (
	// LengthUnknown: the content ends where its framing says, not after a
	// number of bytes known beforehand.
	LengthUnknown int64 = -1
)

// A Request is a request's head and its content.
type Request struct {
	// MethodName is the method as received, Method what the proxy knows of it.
	MethodName []byte
	Method     Method
	// Authority is the host and port that the client asked for: that of an
	// absolute-form target, else the Host field. Empty only from HTTP/1.0.
	Authority []byte
	// Path is the target's path, never decoded; "*" for OPTIONS *.
	Path []byte
	// Query is what follows the first "?"; HasQuery tells "/x?" from "/x".
	Query    []byte
	HasQuery bool
	// Minor is the HTTP/1 minor version of the client: 0 or 1.
	Minor  uint8
	Header Header
	// Length is the content's length in bytes, or LengthUnknown.
	Length int64
	// Body is the content; nil if there is none.
	Body RequestBody
	// Upgrade is the protocol that the client asks to switch to, when it is
	// one that the listener lets pass; else empty.
	Upgrade []byte
	// ExpectContinue: the client waits for 100 before it sends its content
	// (RFC 9110 §10.1.1).
	ExpectContinue bool
}

// A Response is a response's head and its content.
type Response struct {
	Status int
	Reason []byte
	Minor  uint8
	Header Header
	// Length is the content's length in bytes, or LengthUnknown. For a
	// response that has no content by definition (to HEAD, 204, 304) it is 0,
	// whatever its fields say.
	Length int64
	// Body is the content; nil if there is none.
	Body Body
	// Tunnel is the connection behind a 101, in both directions; else nil.
	Tunnel Tunnel
}

// A Body is a message's content, read once from front to back.
type Body interface {
	// Next returns content that has not been returned yet, valid until the
	// next call. If none has arrived it waits for some when wait is true, and
	// returns nil, nil otherwise. The end of the content is io.EOF, returned
	// alone; any other error is final.
	Next(wait bool) ([]byte, error)
	// Trailer returns the trailer fields, once Next has returned io.EOF.
	Trailer() Header
}

// A RequestBody is the content of a request, which may have to be sent again, or
// to several endpoints at once.
type RequestBody interface {
	Body
	// Keep has up to n bytes of content kept for other tries. It is called
	// before the first Next; without it nothing is promised beyond what the
	// server keeps by itself.
	Keep(n int)
	// Load reads the content to its end, so that Fork can hand it out several
	// times. If whole is false, it is larger than may be kept, of this request
	// or of all together; then nothing is lost, and Next goes on from the
	// beginning, once. An error is of type *Failure: the client has failed, or
	// the exchange's deadline has passed. Load does not ask a client that
	// waits for 100 to go on.
	Load() (whole bool, err error)
	// Fork returns the whole content from its beginning, after Load has
	// returned true. Forks are independent of each other and of this body, and
	// may be read concurrently, until the exchange is over. They can always be
	// rewound, and never wait.
	Fork() RequestBody
	// Rewind reports whether the next call of Next starts from the beginning.
	// It is true as long as nothing was handed out.
	Rewind() bool
	// Interrupt makes a Next that waits, and every later one until Rewind,
	// fail. It is the one method that may be called while another goroutine is
	// in Next.
	Interrupt()
}

// A Tunnel carries bytes in both directions once a connection has switched
// protocols (RFC 9110 §7.8). Read and Write may be called concurrently.
type Tunnel interface {
	io.ReadWriter
	// CloseWrite says that no more bytes follow (a half-close).
	CloseWrite() error
}

// HasHeader reports whether a field line called name, compared without regard to
// case, has exactly value.
func (r *Request) HasHeader(name, value string) bool {
	for i := range r.Header {
		if EqualFold(r.Header[i].Name, name) && string(r.Header[i].Value) == value {
			return true
		}
	}
	return false
}
