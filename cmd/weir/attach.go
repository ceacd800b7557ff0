package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/internal/sidecar"
	"github.com/weirproxy/weir/worker"
)

func newAttach() *cobra.Command {
	flags := new(attachFlags)
	cmd := &cobra.Command{
		Use:   "attach --to ROUTER URL",
		Short: "Serve requests of routers from a local server, by dialing in to them",
		Long: `Dial in to routers, and answer the requests that they send from a local HTTP server. The
router needs no address of it, and the local server needs no change. Start them in
any order.

  weir attach --to 127.0.0.1:7000 http://localhost:3000
  WEIR_TOKEN=... weir attach --to https://router.example.com --service web http://localhost:3000

ROUTER is https://host[:port], http://host[:port], or host:port: clear text on
loopback, TLS elsewhere. URL is http://host:port[/base], https://..., h2c://... for a
server that speaks HTTP/2 in clear text, or unix:/path.

SIGTERM and SIGINT end it gracefully: it takes no more requests, and finishes those
under way. A second one ends it at once.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one local server, such as http://localhost:3000; there are %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return attach(flags, args[0], cmd.ErrOrStderr())
		},
	}
	flags.add(cmd)
	return cmd
}

// attach serves until it is told to stop.
func attach(flags *attachFlags, url string, stderr io.Writer) error {
	level, ok := levels[flags.logLevel]
	if !ok {
		return notOneOf("--log-level", flags.logLevel, levelNames)
	}
	target, err := sidecar.ParseTarget(url)
	if err != nil {
		return fmt.Errorf("local server %s: %w", quoted(url), err)
	}
	options, err := flags.options()
	if err != nil {
		return err
	}
	if err := flags.check(options); err != nil {
		return err
	}
	for _, w := range flags.unwise(options) {
		warn(stderr, "%s", w)
	}
	signals := make(chan os.Signal, 2)
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	log := slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})
	options.Log = slog.New(&narrator{out: stderr, next: log, token: options.Token != "", last: map[string]told{}})
	a := &attachment{
		options: options, signals: signals, stderr: stderr, log: slog.New(log),
		handler: sidecar.New(target, sidecar.Options{Concurrency: options.Concurrency, Log: slog.New(log)}),
	}
	a.say("weir %s", weir.Version)
	a.say("serving requests from %s, as %s, for %s", target, a.service(), strings.Join(options.Routers, ", "))
	return failed(a.run())
}

// quoted is a URL as it was written, without what may be a password.
func quoted(url string) string {
	if i := strings.LastIndexByte(url, '@'); i >= 0 {
		url = "…" + url[i:]
	}
	return fmt.Sprintf("%q", url)
}

// An attachment is a worker from its start to its end.
type attachment struct {
	options worker.Options
	handler *sidecar.Handler
	signals <-chan os.Signal
	log     *slog.Logger
	stderr  io.Writer
}

func (a *attachment) run() error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	defer a.handler.Close()
	// The order in which they start is free; but who has mistaken the port
	// should hear of it before the first request.
	go func() { _ = a.handler.Check(ctx) }() // it logs what is wrong
	served := make(chan error, 1)
	go func() { served <- worker.Serve(ctx, a.options, a.handler) }()
	select {
	case err := <-served:
		return err
	case s := <-a.signals:
		a.say("leaving on %s; a second one ends it at once", nameOf(s))
		stop()
	}
	select {
	case err := <-served:
		return a.left(err)
	case s := <-a.signals:
		return fmt.Errorf("ended at once by a second signal, %s", nameOf(s))
	}
}

// left tells how it ended. That some requests take too long is no failure: the
// timeout was given for them.
func (a *attachment) left(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("requests were cut off that took longer than --shutdown-timeout", "error", err)
		return nil
	}
	return err
}

// service tells what the worker serves.
func (a *attachment) service() string {
	if a.options.Version == "" {
		return "service " + a.options.Service
	}
	return "service " + a.options.Service + ", version " + a.options.Version
}

func (a *attachment) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}
