package filewatch

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	defaultQuiet = 100 * time.Millisecond
	defaultEvery = 30 * time.Second
	// blindly is how often it is told when the system does not notify.
	blindly = 2 * time.Second
	// patience is how many times the quiet it takes to be told in any case: who
	// never stops writing is heard, too.
	patience = 10
)

// Options say how to watch. The zero value is ready.
type Options struct {
	// Quiet is how long nothing may change before it is told that something has;
	// 0 is 100 ms. A change that goes on for ten times as long is told.
	Quiet time.Duration
	// Every is how often it is told in any case, for changes that the system does
	// not notify of; 0 is 30 s.
	Every time.Duration
	// Log is told why the system does not notify. If nil, nobody is.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Quiet = cmp.Or(o.Quiet, defaultQuiet)
	o.Every = cmp.Or(o.Every, defaultEvery)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Watch returns a channel that can be received from when a file, or a folder or a file
// in it, may have changed, from the call of Watch on: read it once after that. The path
// need not lead to anything yet. What changed while nobody received is told once. The
// channel is closed when ctx is over and nothing is left behind.
//
// Files in a folder count as they are named there: what a symbolic link in it leads to
// is not followed.
func Watch(ctx context.Context, path string, o Options) <-chan struct{} {
	o = o.withDefaults()
	w := &watch{path: path, log: o.Log}
	w.start()
	changed := make(chan struct{}, 1)
	go func() {
		defer close(changed)
		defer w.close()
		w.run(ctx, o, changed)
	}()
	return changed
}

// run tells until ctx is over.
func (w *watch) run(ctx context.Context, o Options, changed chan<- struct{}) {
	calm := settling{quiet: o.Quiet, most: patience * o.Quiet}
	defer calm.stop()
	again := time.NewTimer(w.interval(o))
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.events():
			if w.concerns(e) {
				calm.note()
			}
			continue
		case err := <-w.errors():
			// Some events were lost.
			w.log.Debug("a notification of the file system failed", "path", w.path, "error", err)
			calm.note()
			continue
		case <-calm.over():
			calm.settle()
		case <-again.C:
		}
		w.look()
		again.Reset(w.interval(o))
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}

// interval is how long to wait when nothing is heard.
func (w *watch) interval(o Options) time.Duration {
	if w.blind {
		return min(o.Every, blindly)
	}
	return o.Every
}

// events is nil, from which nothing is received, if the system notifies of nothing.
func (w *watch) events() <-chan fsnotify.Event {
	if w.notify == nil {
		return nil
	}
	return w.notify.Events
}

func (w *watch) errors() <-chan error {
	if w.notify == nil {
		return nil
	}
	return w.notify.Errors
}
