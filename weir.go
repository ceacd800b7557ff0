package weir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/compress"
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/handler"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/server"
	"github.com/weirproxy/weir/internal/shape"
)

// Version is the version of this source.
const Version = "0.1.0"

// Config is one whole configuration.
type Config = config.Config

// clientIdle is how long a client's connection may be idle between requests.
const clientIdle = 90 * time.Second

// replayEach bounds what is kept of one request's content for another try.
const replayEach = 64 << 10

// A Proxy serves what its configuration says. Its methods may be called
// concurrently.
type Proxy struct {
	cfg       atomic.Pointer[Config] // with its defaults
	log       *slog.Logger
	watchdog  *conn.Watchdog
	observer  *observe.Observer
	events    *observe.Events
	secret    []byte // what cookies are signed with unless a secret is configured
	services  *catalog
	edits     edits
	own       []*source                        // a program's own sources
	policies  map[string]balance.Policy        // a program's own, by service
	extractor Extractor                        // nil: routes decide
	failures  func(Failure)                    // nil: nobody wants to know
	read      func() (*Config, []error, error) // nil: there is no file
	compiler  func() *shape.Compiler           // of expressions
	encoders  *compress.Encoders
	skipping  sync.Mutex   // held to replace the plan, and to count
	skipped   shape.Counts // steps, under plans that are no more
	sources   atomic.Pointer[[]*source]
	watched   int // how many sources there were; enact guards it
	plan      atomic.Pointer[plan]
	server    *server.Server
	handler   *handler.Handler
	doors     []*door
	workers   *workers
	attach    *attachDoor
	listen    Listen
	dial      Dial
	admin     adminState
	draining  atomic.Bool
	// sourcesCtx ends when nobody is to tell of endpoints any more.
	sourcesCtx context.Context
	unwatch    context.CancelFunc

	applying sync.Mutex // held while another configuration is taken over
	over     bool       // there will be none; applying guards it

	mu       sync.Mutex
	opened   bool
	ended    bool // by Shutdown
	serving  sync.WaitGroup
	watching sync.WaitGroup
	// retiring is services that are no more.
	retiring sync.WaitGroup
	failed   chan error
}

// Option changes how a Proxy is made.
type Option func(*Proxy)

// WithLogger has the proxy log what happens to it. Without it, it is silent.
func WithLogger(l *slog.Logger) Option { return func(p *Proxy) { p.log = l } }

// Listen opens a listener, as net.Listen does; Dial connects, as
// net.Dialer.DialContext does.
type (
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
)

// WithListen has the listeners for clients opened by f: sockets that somebody
// else has opened, say, or connections in memory.
func WithListen(f Listen) Option { return func(p *Proxy) { p.listen = f } }

// WithDial has f connect to endpoints, through another network, say. It gets host
// names as they are configured, and resolves them itself.
func WithDial(f Dial) Option { return func(p *Proxy) { p.dial = f } }

// Load reads the configuration file at path. The error names file, line and
// column of everything that is wrong in it; warnings tell what is legal and
// unwise.
func Load(path string) (cfg *Config, warnings []error, err error) {
	cfg, problems, err := config.Load(path)
	for _, w := range problems {
		warnings = append(warnings, w)
	}
	return cfg, warnings, err
}

// New makes a proxy of a configuration, or says what is wrong with it. Files that
// it names are read; nothing is opened yet. A proxy that is made has to be ended
// by Shutdown.
func New(c Config, opts ...Option) (*Proxy, error) {
	p := &Proxy{
		log:      slog.New(slog.DiscardHandler),
		watchdog: new(conn.Watchdog),
		events:   observe.NewEvents(),
		secret:   []byte(rand.Text()),
		services: newCatalog(),
		policies: map[string]balance.Policy{},
		compiler: sync.OnceValue(newCompiler),
		encoders: compress.NewEncoders(0),
		failed:   make(chan error, 1),
		listen:   net.Listen,
	}
	for _, o := range opts {
		o(p)
	}
	p.cfg.Store(c.WithDefaults())
	if err := p.config().Validate().Err(); err != nil {
		return nil, err
	}
	var err error
	if p.observer, err = p.newObserver(); err != nil {
		return nil, err
	}
	found := &problems{cfg: p.config()}
	p.readState(found)
	p.doors = newDoors(p.config(), found)
	p.workers = newWorkers(p)
	p.attach = newAttachDoor(p, found)
	pl := newPlan(p, p.config(), found)
	if err := found.list.Err(); err != nil {
		pl.discard(p)
		_ = p.observer.Close(context.Background())
		return nil, err
	}
	replay := &content.Budget{Each: replayEach, Total: max(0, int64(p.config().Limits.ReplayBytes))}
	p.server, p.handler = p.newServer(replay), p.newHandler(replay)
	p.sourcesCtx, p.unwatch = context.WithCancel(context.Background())
	p.enact(pl)
	if err := p.restore(); err != nil {
		_ = p.Shutdown(context.Background())
		return nil, config.Problems{p.config().At("state", err.Error())}
	}
	p.observer.SetSource(gauges{p})
	return p, nil
}

// config is the configuration in force.
func (p *Proxy) config() *Config { return p.cfg.Load() }

func (p *Proxy) newObserver() (*observe.Observer, error) {
	o, err := observe.New(observe.Options{
		Log:     p.logOptions(p.config()),
		Version: Version,
		Logger:  p.log,
	})
	if err != nil {
		return nil, config.Problems{p.config().At("access_log.path", err.Error())}
	}
	return o, nil
}

func (p *Proxy) logOptions(c *Config) observe.LogOptions {
	l := c.AccessLog
	if l == nil {
		return observe.LogOptions{Format: observe.FormatOff}
	}
	return observe.LogOptions{Format: observe.Format(l.Format), Path: l.Path, Fields: p.logFields(c)}
}

// serve has the plan in force serve x.
func (p *Proxy) serve(x *exchange.Exchange) { p.plan.Load().Serve(x) }

func (p *Proxy) newServer(replay *content.Budget) *server.Server {
	lim := p.config().Limits
	return server.New(server.Options{
		Handler:        exchange.HandlerFunc(p.serve),
		Observe:        p.observer.Observe,
		Connections:    p.observer,
		Problems:       p.problems(),
		Limits:         p.headLimits(),
		HeaderTimeout:  lim.HeaderTimeout.Std(),
		BodyTimeout:    lim.BodyTimeout.Std(),
		IdleTimeout:    clientIdle,
		WriteTimeout:   defaultWrite,
		BodyBytes:      int64(lim.BodyBytes),
		Replay:         replay,
		MaxConnections: lim.Connections,
		Watchdog:       p.watchdog,
		Log:            p.log,
	})
}

// defaultWrite is how long a client may take no byte of an answer that no service
// gave.
const defaultWrite = 60 * time.Second

func (p *Proxy) problems() exchange.Problems {
	return exchange.Problems{Verbose: p.config().Errors == "verbose"}
}

func (p *Proxy) headLimits() http1.Limits {
	return http1.Limits{HeaderBytes: int(p.config().Limits.HeaderBytes), HeaderCount: p.config().Limits.HeaderCount}
}

// errEnded: a proxy that was shut down opens nothing again.
var errEnded = errors.New("the proxy was shut down")

// Listen opens every listener, or none: when one cannot be opened, those that
// were are closed again.
func (p *Proxy) Listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		return errEnded
	case p.opened:
		return nil
	}
	for _, d := range p.doors {
		if err := d.open(p.listen); err != nil {
			p.closeDoors()
			return err
		}
	}
	if err := p.attach.open(p.listen); err != nil {
		p.closeDoors()
		return err
	}
	if err := p.admin.open(p); err != nil {
		p.closeDoors()
		return err
	}
	p.opened = true
	return nil
}

func (p *Proxy) closeDoors() {
	for _, d := range p.doors {
		d.close()
	}
	p.attach.close()
}

// Serve opens the listeners, unless Listen has, and serves until Shutdown, when
// it returns nil, or until a listener fails.
func (p *Proxy) Serve() error {
	switch err := p.Listen(); {
	case errors.Is(err, errEnded):
		return nil
	case err != nil:
		return err
	}
	for _, d := range p.doors {
		p.serving.Go(func() { p.serveDoor(d) })
	}
	if p.attach.listener != nil {
		p.serving.Go(p.serveWorkers)
	}
	p.admin.serve(p)
	p.serving.Wait()
	select {
	case err := <-p.failed:
		return err
	default:
		return nil
	}
}

func (p *Proxy) serveDoor(d *door) {
	err := p.server.Serve(d.listener, server.Listener{
		Address: d.address, TLS: d.tls.serverConfig(), Upgrades: d.upgrades, Proxies: d.proxies, Attach: p.attacher(d),
	})
	if err != nil && !errors.Is(err, server.ErrClosed) {
		p.fail(fmt.Errorf("listener %s: %w", d.address, err))
	}
}

func (p *Proxy) serveWorkers() {
	err := p.workers.door.Serve(p.attach.listener)
	if err != nil && !errors.Is(err, attach.ErrClosed) {
		p.fail(fmt.Errorf("attach listener %s: %w", p.attach.address, err))
	}
}

// fail notes the first error that ends the proxy, and ends it.
func (p *Proxy) fail(err error) {
	select {
	case p.failed <- err:
		go func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = p.Shutdown(ctx)
		}()
	default:
	}
}

// Drain makes /readyz fail, so that nobody sends new requests; those that come
// are still served.
func (p *Proxy) Drain() { p.draining.Store(true) }

// Shutdown stops accepting, waits until the requests under way are answered and
// releases everything. When ctx ends before that, what is left is cut off and
// the error of ctx returned.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.Drain()
	p.applying.Lock()
	p.over = true
	p.applying.Unlock()
	err := p.endRequests(ctx)
	p.workers.close() // now that nobody needs them
	p.mu.Lock()
	p.ended = true
	if p.opened {
		p.closeDoors()
		p.opened = false
	}
	p.mu.Unlock()
	p.admin.close()
	p.unwatch()
	p.watching.Wait()
	p.retiring.Wait()
	p.services.close()
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, p.observer.Close(flush))
}

// ReopenLog opens the access log's file again by its name, after something has
// renamed it.
func (p *Proxy) ReopenLog() error { return p.observer.Reopen() }

// ReloadCertificates reads all certificate files again. When one of them is
// wrong, everything stays as it was.
func (p *Proxy) ReloadCertificates() error {
	p.applying.Lock()
	defer p.applying.Unlock()
	commit, err := prepareReload(p.listenerTLS(), p.services.clientTLS())
	if err != nil {
		return err
	}
	commit()
	return nil
}

// listenerTLS returns how the listeners prove who they are.
func (p *Proxy) listenerTLS() (list []*serverTLS) {
	for _, d := range p.doors {
		if d.tls != nil {
			list = append(list, d.tls)
		}
	}
	if p.attach.tls != nil {
		list = append(list, p.attach.tls)
	}
	return list
}

// Addresses returns the addresses of the listeners, as they are bound.
func (p *Proxy) Addresses() []string {
	var list []string
	for _, d := range p.doors {
		list = append(list, d.bound())
	}
	return list
}

// AttachAddress returns the address on which workers attach, as it is bound; empty
// if there is no listener for them alone.
func (p *Proxy) AttachAddress() string { return p.attach.bound() }

// AdminAddress returns the address of the admin listener, as it is bound; empty
// if there is none.
func (p *Proxy) AdminAddress() string { return p.admin.bound() }

// MetricsHandler serves the metrics in the Prometheus exposition format.
func (p *Proxy) MetricsHandler() http.Handler { return p.observer.Handler() }
