package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// Options configure a Server.
type Options struct {
	// Handler answers the exchanges.
	Handler exchange.Handler
	// Observe is told of every exchange when it is over. If nil, nobody is.
	Observe func(*exchange.Exchange)
	// Connections is told of every connection. If nil, nobody is.
	Connections interface {
		ConnectionOpened()
		ConnectionClosed()
	}
	// Problems makes the answers to requests that reach no handler.
	Problems exchange.Problems
	// Limits bounds request heads and trailers.
	Limits http1.Limits
	// HeaderTimeout bounds how long a request's head may take to arrive, from
	// its first byte, and the TLS handshake; BodyTimeout the wait between
	// bytes of its content, IdleTimeout the wait between requests.
	HeaderTimeout, BodyTimeout, IdleTimeout time.Duration
	// WriteTimeout bounds how long a client may take no byte of its answer, as
	// long as the handler does not say otherwise.
	WriteTimeout time.Duration
	// BodyBytes bounds a request's content; 0 is not.
	BodyBytes int64
	// Replay bounds what is kept of content that may have to be sent again.
	// If nil, nothing is.
	Replay *content.Budget
	// MaxConnections bounds how many connections are open at once.
	MaxConnections int
	// Watchdog watches the connections.
	Watchdog *conn.Watchdog
	// Log is told what goes wrong with listeners. If nil, nobody is.
	Log *slog.Logger
}

// A Listener says how the connections of one net.Listener are treated.
type Listener struct {
	// Address is the listener's address as it was configured.
	Address string
	// TLS secures connections; nil is not at all.
	TLS *tls.Config
	// Upgrades are the protocols that a client may switch to.
	Upgrades []string
	// Proxies are the peers that begin each connection with a header of the PROXY
	// protocol; on a Unix socket all do if there are any. No other peer does.
	Proxies []netip.Prefix
	// Attach lets workers attach on this listener too. If nil, nobody does, and
	// a request to attach is one like others.
	Attach Attacher
}

// A Server serves clients' connections. Its methods may be called concurrently.
type Server struct {
	opts       Options
	workspaces sync.Pool
	closing    atomic.Bool
	total      atomic.Uint64

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	clients   map[*client]struct{} // whose watch may be touched
	open      int                  // connections, those that are being closed too
	empty     chan struct{}        // closed when closing and the last one is closed
}

// New returns a Server.
func New(o Options) *Server {
	if o.Observe == nil {
		o.Observe = func(*exchange.Exchange) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Replay == nil {
		o.Replay = new(content.Budget)
	}
	s := &Server{
		opts:      o,
		listeners: map[net.Listener]struct{}{},
		clients:   map[*client]struct{}{},
		empty:     make(chan struct{}),
	}
	s.workspaces.New = func() any { return newWorkspace() }
	return s
}

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = errors.New("server closed")

// Serve accepts connections on l until Shutdown, or until l fails for good. It
// closes l.
func (s *Server) Serve(l net.Listener, cfg Listener) error {
	defer l.Close()
	if !s.addListener(l) {
		return ErrClosed
	}
	defer s.removeListener(l)
	if cfg.Attach != nil {
		cfg.TLS = offerReversed(cfg.TLS)
	}
	var pause time.Duration
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.accept(c, &cfg)
		case s.closing.Load():
			return ErrClosed
		case isTemporary(err):
			// Out of descriptors, most likely: connections that end give
			// some back.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.opts.Log.Warn("cannot accept a connection, trying again", "listener", cfg.Address, "error", err)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (s *Server) accept(nc net.Conn, cfg *Listener) {
	c := newClient(s, cfg)
	if !s.admit(c) {
		refuse(nc, cfg)
		return
	}
	s.total.Add(1)
	if o := s.opts.Connections; o != nil {
		o.ConnectionOpened()
	}
	go c.run(nc)
}

// admit notes the connection; false if there are too many, or no more are taken.
func (s *Server) admit(c *client) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() || s.opts.MaxConnections > 0 && s.open >= s.opts.MaxConnections {
		return false
	}
	s.clients[c] = struct{}{}
	s.open++
	return true
}

// refuse tells a client that there is no room for its connection, without
// reading its request and without waiting for it to take the answer.
func refuse(nc net.Conn, cfg *Listener) {
	if cfg.TLS == nil {
		_ = nc.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = nc.Write(tooManyConnections())
	}
	_ = nc.Close()
}

// tooManyConnections is the answer to a request that nobody reads.
func tooManyConnections() []byte {
	code := exchange.CodeTooManyConnections
	text, _ := json.Marshal(exchange.Problem{ // strings always marshal
		Type: "about:blank", Title: http.StatusText(code.Status), Status: code.Status,
		Error: code.Name, Detail: code.Meaning, EventID: string(exchange.AppendID(nil)),
	})
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\n"+
		"Content-Length: %d\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%s",
		code.Status, http.StatusText(code.Status), len(text), text)
}

// forget notes that a connection is closed.
func (s *Server) forget() {
	if o := s.opts.Connections; o != nil {
		o.ConnectionClosed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.signalIfEmptyLocked()
}

// retire has Shutdown leave c alone: its watch is about to become another
// connection's.
func (s *Server) retire(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

func (s *Server) signalIfEmptyLocked() {
	if !s.closing.Load() || s.open > 0 {
		return
	}
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) removeListener(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// Connections returns how many connections are open, and how many were accepted
// since the start.
func (s *Server) Connections() (open int, total uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.total.Load()
}

// Shutdown closes the listeners and the connections that are idle, and waits
// until the requests under way are answered. When ctx ends before that, what is
// left is cut off, and its error returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing.Store(true)
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.clients {
		c.endIdle()
	}
	s.signalIfEmptyLocked()
	s.mu.Unlock()
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-s.empty: // both, and nothing is left to be cut off
		return nil
	default:
	}
	s.mu.Lock()
	for c := range s.clients {
		c.cut()
	}
	s.mu.Unlock()
	<-s.empty
	return ctx.Err()
}
