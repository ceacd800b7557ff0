package handler

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// Options configure a Handler.
type Options struct {
	// Handler answers the exchanges.
	Handler exchange.Handler
	// Observe is told of every exchange when it is over. If nil, nobody is.
	Observe func(*exchange.Exchange)
	// Problems makes the answers to requests that reach no handler.
	Problems exchange.Problems
	// Limits bounds request heads.
	Limits http1.Limits
	// BodyTimeout bounds the wait between bytes of a request's content; 0 is
	// without bound.
	BodyTimeout time.Duration
	// WriteTimeout bounds how long a client may take no byte of its answer, as
	// long as the handler does not say otherwise.
	WriteTimeout time.Duration
	// BodyBytes bounds a request's content; 0 is not.
	BodyBytes int64
	// Replay bounds what is kept of content that may have to be sent again. If
	// nil, nothing is.
	Replay *content.Budget
	// Listener is what exchanges have for the address of their listener.
	Listener string
	// Upgrades are the protocols that a client may switch to.
	Upgrades []string
	// Watchdog watches the connections that have switched protocols.
	Watchdog *conn.Watchdog
}

// A Handler is an http.Handler. Its methods may be called concurrently.
type Handler struct {
	opts       Options
	workspaces sync.Pool

	mu       sync.Mutex
	requests map[*workspace]struct{} // under way
	closing  bool
	empty    chan struct{} // closed when closing and the last one is over
}

// New returns a Handler.
func New(o Options) *Handler {
	if o.Observe == nil {
		o.Observe = func(*exchange.Exchange) {}
	}
	if o.Replay == nil {
		o.Replay = new(content.Budget)
	}
	h := &Handler{opts: o, requests: map[*workspace]struct{}{}, empty: make(chan struct{})}
	h.workspaces.New = func() any { return newWorkspace(h) }
	return h
}

// ServeHTTP implements http.Handler. When the client cannot get a whole answer it
// panics with http.ErrAbortHandler, which is how net/http has a response cut short.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws := h.workspaces.Get().(*workspace)
	h.serve(ws, w, r)
	whole := ws.reply.whole
	if !ws.late {
		ws.release()
		h.workspaces.Put(ws)
	}
	if !whole {
		panic(http.ErrAbortHandler)
	}
}

// serve serves a request. Whatever happens, even a panic, Shutdown does not wait for
// it any longer, and nobody reads its content.
func (h *Handler) serve(ws *workspace, w http.ResponseWriter, r *http.Request) {
	err := ws.begin(w, r)
	if !h.enter(ws) {
		err = shuttingDown
	}
	defer h.leave(ws)
	defer ws.end()
	if err != nil {
		ws.refuse(err)
	} else {
		h.opts.Handler.Serve(&ws.x)
	}
	ws.x.Outcome.Duration = exchange.Now() - ws.x.Start
	h.opts.Observe(&ws.x)
}

var shuttingDown = &exchange.Failure{Code: exchange.CodeShuttingDown, RetryAfter: 1}

// enter notes a request; false if no more are taken.
func (h *Handler) enter(ws *workspace) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.requests[ws] = struct{}{}
	return true
}

// leave notes that a request is over.
func (h *Handler) leave(ws *workspace) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.requests, ws)
	h.signalIfEmptyLocked()
}

func (h *Handler) signalIfEmptyLocked() {
	if !h.closing || len(h.requests) > 0 {
		return
	}
	select {
	case <-h.empty:
	default:
		close(h.empty)
	}
}

// Close has requests that come from here on refused.
func (h *Handler) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
	h.signalIfEmptyLocked()
}

// Shutdown has no more requests served, and waits until those under way are
// answered. When ctx ends before that, what is left is cut off, and its error
// returned.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.Close()
	select {
	case <-h.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-h.empty: // both, and nothing is left to be cut off
		return nil
	default:
	}
	h.mu.Lock()
	for ws := range h.requests {
		ws.cut()
	}
	h.mu.Unlock()
	<-h.empty
	return ctx.Err()
}
