package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A process is a proxy from its start to its end:
//
//	run ─▶ open ─▶ serve ─(signal, or --stop-after)─▶ stop
//	                 │                                  │
//	                 └─(a listener fails)─▶ exit 1      └─(second signal)─▶ exit 1
type process struct {
	cfg     *weir.Config // with its defaults
	log     *slog.Logger
	stderr  io.Writer
	signals <-chan os.Signal
	// stopAfter is when it stops by itself; 0 is never. stopText is how that
	// was written.
	stopAfter time.Duration
	stopText  string
	// again reads the configuration file once more, with the flags over it; nil
	// without a file.
	again func() (c *weir.Config, warnings []error, err error)

	file  *watchedFile // nil: it is not watched
	proxy *weir.Proxy
}

func (p *process) run() error {
	if err := p.open(); err != nil {
		return err
	}
	p.greet()
	served := make(chan error, 1)
	go func() { served <- p.proxy.Serve() }()
	p.notify(notifyReady)
	return p.serve(served)
}

// open makes the proxy and opens everything it needs, or nothing.
func (p *process) open() error {
	options := []weir.Option{weir.WithLogger(p.log)}
	if p.again != nil {
		options = append(options, weir.WithReload(p.again))
	}
	proxy, err := weir.New(*p.cfg, options...)
	if err != nil {
		return err
	}
	if err := proxy.Listen(); err != nil {
		_ = proxy.Shutdown(context.Background())
		return explainListen(err)
	}
	p.proxy = proxy
	return nil
}

// explainListen adds what to do about a listener that could not be opened.
func explainListen(err error) error {
	var l *weir.ListenError
	if !errors.As(err, &l) {
		return err
	}
	instead := map[string]string{
		"clients": "choose another with --listen",
		"attach":  "choose another with --attach, or --attach off",
		"admin":   "choose another with --admin, or --admin off",
		"metrics": "choose another with metrics.address in the file",
	}[l.Role]
	switch {
	case errors.Is(l.Err, syscall.EADDRINUSE):
		return fmt.Errorf("%w (another process has it; %s)", err, instead)
	case errors.Is(l.Err, syscall.EACCES):
		return fmt.Errorf("%w (ports below 1024 need a privilege; %s)", err, instead)
	case errors.Is(l.Err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w (it is no address of this machine; %s)", err, instead)
	}
	return err
}

// serve does what signals say until one ends it, or the proxy ends by itself.
func (p *process) serve(served <-chan error) error {
	var over <-chan time.Time
	if p.stopAfter > 0 {
		timer := time.NewTimer(p.stopAfter)
		defer timer.Stop()
		over = timer.C
	}
	changed := p.changed()
	for {
		select {
		case <-changed:
			if p.file.differs() {
				p.reload()
			}
		case err := <-served:
			_ = p.proxy.Shutdown(context.Background())
			return err
		case <-over:
			p.say("stopping weir after %s", p.stopText)
			return p.stop(served)
		case s := <-p.signals:
			if p.handle(s) {
				p.say("stopping weir on %s; a second one stops it at once", nameOf(s))
				return p.stop(served)
			}
		}
	}
}

// changed is received from when the file may have changed; never if it is not watched.
func (p *process) changed() <-chan struct{} {
	if p.file == nil {
		return nil
	}
	return p.file.changed
}

// handle does what a signal says, and reports whether it says to stop.
func (p *process) handle(s os.Signal) (stop bool) {
	switch s {
	case syscall.SIGHUP:
		p.reload()
	case reopenSignal:
		if err := p.proxy.ReopenLog(); err != nil {
			p.log.Error("access log could not be opened again; the old file goes on", "error", err)
		} else {
			p.log.Info("access log was opened again")
		}
	default:
		return true
	}
	return false
}

// reload has the proxy go by the file as it is now. Without a file there are only
// certificates to read again.
func (p *process) reload() {
	if p.again == nil {
		if err := p.proxy.ReloadCertificates(); err != nil {
			p.log.Error("certificates could not be read again; those in use stay", "error", err)
		} else {
			p.log.Info("certificates were read again")
		}
		return
	}
	warnings, err := p.proxy.Reload()
	for _, w := range warnings {
		warn(p.stderr, "%v", w)
	}
	if err == nil {
		p.log.Info("configuration and certificates were read again")
		return
	}
	for _, one := range eachOf(err) {
		p.log.Error("configuration could not be taken over; what runs stays as it is", "error", one)
	}
}

// eachOf takes an error apart into what is wrong in one place each, on one line.
func eachOf(err error) (list []error) {
	var problems config.Problems
	if !errors.As(err, &problems) {
		return []error{err}
	}
	for _, problem := range problems {
		problem.SourceLine = "" // a log says where, and shows nothing
		list = append(list, problem)
	}
	return list
}

// stop ends the proxy gracefully, unless a second signal says that it is urgent.
func (p *process) stop(served <-chan error) error {
	p.proxy.Drain()
	p.notify(notifyStopping)
	done := make(chan error, 1)
	go func() { done <- p.shutDown() }()
	for {
		select {
		case err := <-done:
			return errors.Join(err, <-served)
		case s := <-p.signals:
			if p.handle(s) {
				return fmt.Errorf("stopped at once by a second signal, %s", nameOf(s))
			}
		}
	}
}

// shutDown waits for those who look at /readyz, and then for the requests under
// way. That some of them take too long is no failure: the timeout was configured
// for them.
func (p *process) shutDown() error {
	limits := p.proxy.Config().Shutdown // as it is now: the file may have been read again
	time.Sleep(max(0, limits.Delay.Std()))
	timeout := max(0, limits.Timeout.Std())
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := p.proxy.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		p.log.Warn("requests were cut off that took longer than shutdown.timeout", "timeout", timeout)
		return nil
	}
	return err
}

func (p *process) notify(state string) {
	if err := notify(state); err != nil {
		p.log.Warn("the service manager could not be told", "state", state, "error", err)
	}
}

func (p *process) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, format+"\n", args...)
}
