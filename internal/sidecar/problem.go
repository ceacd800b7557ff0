package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// A kind is one of the errors that a handler answers with.
type kind struct {
	status       int
	code, detail string
}

var (
	connectFailed     = kind{502, exchange.CodeConnectFailed.Name, "The worker cannot reach its local server."}
	tlsFailed         = kind{502, exchange.CodeTLSFailed.Name, "The TLS handshake of the worker with its local server failed."}
	endpointClosed    = kind{502, exchange.CodeEndpointClosed.Name, "The worker's local server closed the connection before a whole response head."}
	malformedResponse = kind{502, exchange.CodeMalformedResponse.Name, "What the worker's local server answered is not an answer to this request."}
	connectTimeout    = kind{504, exchange.CodeConnectTimeout.Name, "The worker's local server did not accept a connection in time."}
	noTunnel          = kind{501, exchange.CodeConnectRefused.Name, "A worker opens no tunnels other than those of WebSocket."}
	clientFailed      = kind{0, exchange.CodeMalformedBody.Name, ""} // answered by a reset
)

// A failure is why the local server did not answer.
type failure struct {
	kind  kind
	cause error // if nil, there is nothing more to say
}

// Error says what failed and why.
func (f *failure) Error() string {
	if f.cause == nil {
		return f.kind.code
	}
	return f.kind.code + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// failureOf tells what an error of http.Transport means.
func failureOf(err error, e *exchanged) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case e.conn == nil, e.ended():
		return &failure{endpointClosed, err}
	}
	return &failure{malformedResponse, err}
}

// fail answers with a problem, if somebody is still there.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, f *failure) {
	if r.Context().Err() != nil || errors.Is(f, context.Canceled) || f.kind == clientFailed {
		panic(http.ErrAbortHandler)
	}
	h.opts.Log.Debug("a request was not answered by the local server", "url", h.target, "error", f)
	// The router's id of the event, for whoever looks it up in its log.
	text, err := json.Marshal(exchange.Problem{
		Type: "about:blank", Title: http.StatusText(f.kind.status), Status: f.kind.status,
		Error: f.kind.code, Detail: f.kind.detail, EventID: r.Header.Get("X-Request-Id"),
	})
	if err != nil {
		text = []byte(`{"type":"about:blank"}`) // strings always marshal
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.kind.status)
	_, _ = w.Write(text) // who has left does not read it
}
