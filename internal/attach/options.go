package attach

import (
	"cmp"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"
)

// Options configure a Door.
type Options struct {
	// TLS secures connections; nil is not at all. It is not changed. Its
	// NextProtos do not count, nor do those of what its GetConfigForClient
	// returns: which protocols there are is the door's.
	TLS *tls.Config
	// Announce takes over a connection whose worker is attached, or one that
	// waits for Identify. It is called on a goroutine of its own. An error closes
	// the connection. Required.
	Announce func(Attached) error
	// Admit is asked last whether a worker may attach; a refusal is its answer.
	// If nil, nobody is. It may be called concurrently, and should return soon:
	// the time of the handshake does not end it.
	Admit func(Identity) *Refusal
	// Draining reports whether the router is about to stop, and takes no more
	// workers. If nil, it never is.
	Draining func() bool
	// Routers are further ones that workers should attach to. If nil, there are
	// none.
	Routers func() []string
	// Timeout bounds how long it takes until a worker is known, TLS and Identify
	// included; 0 is 10 s. To say why not takes 2 s more at most.
	Timeout time.Duration
	// Handshakes is how many connections can be that far at a time; 0 is 256.
	Handshakes int
	// Log is told who is refused and why. If nil, nobody is.
	Log *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Announce == nil {
		return o, errors.New("attach: Options.Announce is nil")
	}
	if o.Admit == nil {
		o.Admit = func(Identity) *Refusal { return nil }
	}
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.Handshakes = cmp.Or(o.Handshakes, 256)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.TLS = withProtocols(o.TLS)
	return o, nil
}
