package observe

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirproxy/weir/internal/exchange"
)

// Options say what an Observer does. The zero value writes the access log as
// JSON to standard output.
type Options struct {
	// Log is the access log.
	Log LogOptions
	// Version is Weir's version, a label of weir_build_info.
	Version string
	// Logger is told of trouble with the access log. If nil, nobody is.
	Logger *slog.Logger
}

// An Observer counts exchanges and writes the access log. All its methods may be
// called concurrently.
type Observer struct {
	lanes    lanes
	counters counters
	log      atomic.Pointer[accessLog] // nil: off
	dropped  atomic.Uint64             // lines, over all access logs there were
	logger   *slog.Logger
	registry *prometheus.Registry

	mu      sync.Mutex // serializes changes of the access log
	options LogOptions
	closed  bool
}

// New returns an Observer, or an error if the access log cannot be opened. It
// must be closed.
func New(options Options) (*Observer, error) {
	o := &Observer{logger: options.Logger}
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	o.lanes.init()
	o.counters.init(o.lanes.count())
	o.registry = newRegistry(o, options.Version)
	if err := o.SetAccessLog(options.Log); err != nil {
		return nil, err
	}
	return o, nil
}

// Observe counts one exchange and appends its line to the access log. It is
// called once the response was sent or given up, while the request's head is
// still valid, and keeps nothing of it. It neither blocks nor allocates.
func (o *Observer) Observe(x *exchange.Exchange) {
	lane := o.lanes.take()
	o.counters.add(lane, &x.Outcome)
	// A log that was just replaced takes no more lines: its successor does.
	for log := o.log.Load(); log != nil && !log.append(lane, x); log = o.log.Load() {
	}
	o.lanes.give(lane)
}

// ConnectionOpened counts a client's connection that was accepted.
func (o *Observer) ConnectionOpened() { o.counters.opened.Add(1) }

// ConnectionClosed counts the end of a connection that ConnectionOpened counted.
func (o *Observer) ConnectionClosed() { o.counters.closed.Add(1) }

// SetSource names who tells the state of endpoints when metrics are scraped.
// Without one, that state is not exposed.
func (o *Observer) SetSource(source Source) { o.counters.source.Store(&source) }

// Handler serves the metrics in the Prometheus exposition format.
func (o *Observer) Handler() http.Handler { return newMetricsHandler(o.registry) }

// SetAccessLog replaces the access log, after a reload. Lines that were appended
// to the old one are written there before it is closed. If the new one cannot be
// opened, the old one goes on. Nothing happens when the options are the same.
func (o *Observer) SetAccessLog(options LogOptions) error {
	options = options.withDefaults()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return errClosed
	}
	if options.same(o.options) {
		return nil
	}
	var next *accessLog
	if options.Format != FormatOff {
		sink, err := openSink(options)
		if err != nil {
			return err // it names the file and what was done
		}
		next = newAccessLog(options, sink, o.lanes.count(), &o.dropped, o.logger)
	}
	previous := o.log.Swap(next)
	o.options = options
	if previous != nil {
		go previous.close(context.Background()) // it may be stuck; a reload does not wait for it
	}
	return nil
}

// Reopen opens the access log's file again by its name, after something renamed
// it. Lines appended before are in the old file, lines appended after it returns
// in the new one, and none is lost. If the file cannot be opened, the old one
// goes on. It waits for the destination.
func (o *Observer) Reopen() error {
	if log := o.log.Load(); log != nil {
		return log.reopen()
	}
	return nil
}

// Close writes what the access log still holds and closes it. Exchanges observed
// later are counted, not logged. If the destination is stuck it waits until ctx
// is done, and gives up.
func (o *Observer) Close(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if log := o.log.Swap(nil); log != nil {
		return log.close(ctx)
	}
	return nil
}
