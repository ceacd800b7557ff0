package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A worker is one Serve.
type worker struct {
	opts    Options
	handler http.Handler
	roster  *roster
	server  *http.Server
	intake  *intake
	running tally
	links   sync.WaitGroup
	// resolve looks up names; if nil, they are dialed as they are.
	resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu  sync.Mutex
	cut int // requests that were not over in time
}

// Serve attaches to routers and has h answer what they send, until ctx ends. Then
// it takes no more requests, waits for those under way, leaves and returns nil; an
// error if some were cut because they took longer than Options.ShutdownTimeout.
// If Options are wrong it returns an error that says all that is, at once; nothing
// else ends it: routers that are not there, or refuse, are tried again.
//
// h may be called concurrently; if it is nil, [http.DefaultServeMux] is used. The
// contexts of requests have the values of ctx, but end only with the request.
func Serve(ctx context.Context, o Options, h http.Handler) error {
	w, err := newWorker(ctx, o, h)
	if err != nil {
		return err
	}
	return w.run(ctx)
}

func (w *worker) run(ctx context.Context) error {
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		_ = w.server.Serve(w.intake)
	}()
	w.roster.begin()
	<-ctx.Done()
	end := time.Now().Add(w.opts.ShutdownTimeout)
	w.roster.busy.Wait()
	w.links.Wait()
	_ = w.server.Close()
	<-accepting
	return w.result(w.running.wait(time.Until(end)))
}

func newWorker(ctx context.Context, o Options, h http.Handler) (*worker, error) {
	routers, wrong := parseRouters(&o)
	o, err := o.withDefaults()
	if err := errors.Join(wrong, err); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if h == nil {
		h = http.DefaultServeMux
	}
	w := &worker{opts: o, handler: h, intake: newIntake()}
	if o.Dial == nil {
		w.resolve = net.DefaultResolver.LookupNetIP
	}
	w.roster = newRoster(ctx, w, routers)
	w.server = &http.Server{
		Handler: w,
		// OPTIONS * is the handler's, too.
		DisableGeneralOptionsHandler: true,
		Protocols:                    new(http.Protocols),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: o.Concurrency,
			// A router that is gone without a word is noticed within 25 s.
			SendPingTimeout: 10 * time.Second,
			PingTimeout:     15 * time.Second,
		},
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, linkKey{}, c) },
		ErrorLog:    slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	w.server.Protocols.SetUnencryptedHTTP2(true)
	return w, nil
}

// result is what Serve returns.
func (w *worker) result(running int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := max(w.cut, running); n > 0 {
		return fmt.Errorf("worker: %d requests were not over %v after the end was announced: %w", n, w.opts.ShutdownTimeout, context.DeadlineExceeded)
	}
	return nil
}

// dial opens a connection.
func (w *worker) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if w.opts.Dial != nil {
		return w.opts.Dial(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// serve has the server serve a connection, until ctx ends and its requests are
// over.
func (w *worker) serve(ctx context.Context, l *link) {
	w.intake.conns <- l
	w.links.Go(func() {
		n := l.watch(ctx, w.opts.ShutdownTimeout)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cut += n
	})
}

// An intake hands connections to the server.
type intake struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newIntake() *intake { return &intake{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Accept implements net.Listener.
func (i *intake) Accept() (net.Conn, error) {
	select {
	case c := <-i.conns:
		return c, nil
	case <-i.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (i *intake) Close() error {
	i.once.Do(func() { close(i.closed) })
	return nil
}

// Addr implements net.Listener.
func (i *intake) Addr() net.Addr { return &net.TCPAddr{} }

// A tally counts handlers that run.
type tally struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // is waited on; nil if not
}

func (t *tally) enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

func (t *tally) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// wait waits until no handler runs, and returns how many do when the time is up.
func (t *tally) wait(d time.Duration) (left int) {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return 0
	}
	none := make(chan struct{})
	t.none = none
	t.mu.Unlock()
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-none:
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
