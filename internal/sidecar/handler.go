package sidecar

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Options configure a Handler.
type Options struct {
	// Concurrency is how many requests there are at a time; as many connections
	// are kept idle at most. 0 is 100.
	Concurrency int
	// Connect bounds the time to open a connection, TLS included; 0 is 5 s.
	Connect time.Duration
	// Log is told when the local server cannot be reached, and when it can be
	// again. If nil, nobody is.
	Log *slog.Logger
}

// A Handler forwards requests to a local server. It expects to be served over
// HTTP/2, and may be called concurrently.
type Handler struct {
	target Target
	opts   Options
	down   atomic.Bool // it could not be reached the last time
	// ordinary and upgrading send requests. They are one unless the local
	// server speaks h2c.
	ordinary, upgrading *http.Transport
}

// New returns the way to a local server, which need not be there yet.
func New(t Target, o Options) *Handler {
	o.Concurrency = cmp.Or(o.Concurrency, 100)
	o.Connect = cmp.Or(o.Connect, 5*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{target: t, opts: o}
	h.ordinary, h.upgrading = h.newTransports()
	return h
}

// Close closes the connections that are idle. Requests under way go on.
func (h *Handler) Close() {
	h.ordinary.CloseIdleConnections()
	h.upgrading.CloseIdleConnections()
}

// Check tells why the local server cannot be reached at present; nil if it can
// be.
func (h *Handler) Check(ctx context.Context) error {
	c, err := h.dial(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// ServeHTTP implements http.Handler. It panics with http.ErrAbortHandler, as that
// is how net/http resets a stream, when the answer cannot be completed.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		h.serveConnect(w, r)
		return
	}
	resp, e := h.roundTrip(h.ordinary, w, r, h.outgoing(r))
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 999 {
		h.fail(w, r, &failure{malformedResponse, fmt.Errorf("nobody asked it for status %d", resp.StatusCode)})
		return
	}
	answer(w, resp, e)
}

// serveConnect answers a CONNECT.
func (h *Handler) serveConnect(w http.ResponseWriter, r *http.Request) {
	if protocol := r.Header[":protocol"]; len(protocol) == 1 && protocol[0] == "websocket" {
		h.serveWebSocket(w, r)
		return
	}
	h.fail(w, r, &failure{noTunnel, nil})
}

// roundTrip sends a request and waits for the head of its response. Without one
// it has answered, and returns nil.
func (h *Handler) roundTrip(t *http.Transport, w http.ResponseWriter, r, out *http.Request) (*http.Response, *exchanged) {
	interim := &interim{to: w}
	e := &exchanged{toHEAD: r.Method == http.MethodHead}
	trace := &httptrace.ClientTrace{Got1xxResponse: interim.pass, GotConn: e.begin}
	resp, err := t.RoundTrip(out.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	interim.end()
	if err != nil {
		h.fail(w, r, failureOf(err, e))
		return nil, nil
	}
	return resp, e
}
