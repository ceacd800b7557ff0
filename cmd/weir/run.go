package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

func newRun() *cobra.Command {
	flags := new(runFlags)
	cmd := &cobra.Command{
		Use:   "run [-c FILE | --to URL,...]",
		Short: "Serve requests",
		Long: `Serve requests. Without a file and --to, they go to the workers that attach (see weir
attach): all to service "default", and those for /SERVICE/VERSION/... to that version
of that service if a worker serves it. With --to, the URLs are the endpoints of service
"default", which gets every request. A flag that is given overrides the file.

  weir run
  weir run --to http://10.0.0.1:8000,http://10.0.0.2:8000
  weir run -c weir.yaml

SIGTERM and SIGINT stop it gracefully, a second one at once. SIGHUP reads the file and
the certificates again, SIGUSR1 reopens the access log.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(flags, cmd.ErrOrStderr())
		},
	}
	flags.add(cmd)
	return cmd
}

// run serves until it is told to stop.
func run(flags *runFlags, stderr io.Writer) error {
	log, err := flags.logger(stderr)
	if err != nil {
		return err
	}
	if err := flags.check(); err != nil {
		return err
	}
	c, warnings, err := flags.configuration()
	if err != nil {
		return err
	}
	for _, w := range warnings {
		warn(stderr, "%v", w)
	}
	signals, release := catchSignals()
	defer release()
	p := &process{
		cfg: c, log: log, stderr: stderr, signals: signals,
		stopAfter: time.Duration(flags.stopAfter.Duration), stopText: flags.stopAfter.written,
	}
	if flags.config != "" {
		p.again = flags.configuration
		if flags.watch {
			p.file = watchFile(flags.config, log)
			defer p.file.end()
		}
	}
	return failed(p.run())
}

// logger makes the log of the process itself. It is text whatever the access
// log's format: whoever starts it by hand reads both it and the greeting.
func (f *runFlags) logger(w io.Writer) (*slog.Logger, error) {
	level, ok := levels[f.logLevel]
	if !ok {
		return nil, notOneOf("--log-level", f.logLevel, levelNames)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
}

var levelNames = []string{"debug", "info", "warn", "error"}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// configuration returns what is written in the file, or what stands for it, with
// the flags over it, and what is unwise about it.
func (f *runFlags) configuration() (c *weir.Config, warnings []error, err error) {
	c = &weir.Config{}
	switch {
	case f.config != "":
		if c, warnings, err = weir.Load(f.config); err != nil {
			return nil, nil, failed(err)
		}
	case !f.given("to") && f.attach != "off":
		c = config.Zero()
	}
	for _, w := range f.override(c) {
		warnings = append(warnings, errors.New(w))
	}
	c = c.WithDefaults()
	if problems := c.Validate(); len(problems) > 0 {
		// The file alone was valid: it is the flags.
		return nil, nil, f.explain(problems)
	}
	return c, warnings, nil
}

func (f *runFlags) check() error {
	switch {
	case f.given("config") && f.config == "":
		return errors.New("-c wants the name of a file")
	case f.watch && f.config == "":
		return errors.New("--watch wants a file to watch; name it with -c")
	case slices.Contains(f.urls(), ""):
		return errors.New("--to: a URL between two commas is empty")
	case f.given("strategy") && f.service.strategy == "":
		return errors.New("--strategy wants a value")
	case f.given("balance") && f.service.balance == "":
		return errors.New("--balance wants a value")
	case f.given("stop-after") && f.stopAfter.Duration <= 0:
		return fmt.Errorf("--stop-after %s is not after the start", f.stopAfter.written)
	}
	return f.explain(f.service.problems())
}
