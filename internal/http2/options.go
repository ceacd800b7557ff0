package http2

import (
	"log/slog"
	"time"

	"github.com/weirproxy/weir/internal/http1"
)

// Options configure a connection. Times of 0 are without bound, unless their
// comment says otherwise.
type Options struct {
	// Limits bounds heads and trailers of responses; 0 is 64 KiB and 128
	// fields. Each field counts with 32 bytes more than it has (RFC 9113
	// §6.5.2).
	Limits http1.Limits
	// Head is what is added to each request's head, as to one of HTTP/1.1.
	// Framing, Upgrade and DropExpect are not used.
	Head http1.RequestHead
	// Scheme is the value of :scheme; empty is "http".
	Scheme string
	// Response bounds the wait for a response head, Read the wait between bytes
	// of its content, Write the wait for the peer to take bytes, Tunnel how long
	// a tunnel may carry nothing.
	Response, Read, Write, Tunnel time.Duration
	// Handshake bounds the wait for the peer's first SETTINGS; 0 is 10 s.
	Handshake time.Duration
	// Ping is the time between two PINGs; 0 is 10 s. MissedPings is how many
	// without any sign of the peer end the connection; 0 is 2.
	Ping        time.Duration
	MissedPings int
	// StreamWindow bounds how many bytes of one response wait here for its
	// client; 0 is 64 KiB. ConnWindow is how many the peer may have on the way,
	// of all responses; 0 is 1 MiB, and less than 64 KiB is 64 KiB.
	StreamWindow, ConnWindow int
	// MaxStreams bounds the capacity, whatever the peer announces; 0 is 256.
	MaxStreams int
	// Changed, if not nil, is called after Capacity or Draining changed, or the
	// connection began to end; never before NewConn has returned or is about to.
	// It runs on the goroutine that brought the change, possibly on several at a
	// time: it may call the Conn's methods, and must not wait.
	Changed func()
	// Log, if not nil, is told why a connection ended.
	Log *slog.Logger
}

const (
	defaultWindow     = 64<<10 - 1 // RFC 9113 §6.9.2
	maxWindow         = 1<<31 - 1
	defaultMaxStreams = 256
)

func (o *Options) setDefaults() {
	setDefault(&o.Limits.HeaderBytes, 64<<10)
	setDefault(&o.Limits.HeaderCount, 128)
	setDefault(&o.Scheme, "http")
	setDefault(&o.Handshake, 10*time.Second)
	setDefault(&o.Ping, 10*time.Second)
	setDefault(&o.MissedPings, 2)
	setDefault(&o.StreamWindow, 64<<10)
	setDefault(&o.ConnWindow, 1<<20)
	setDefault(&o.MaxStreams, defaultMaxStreams)
	o.StreamWindow = min(o.StreamWindow, maxWindow)
	o.ConnWindow = min(max(o.ConnWindow, defaultWindow), maxWindow)
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
