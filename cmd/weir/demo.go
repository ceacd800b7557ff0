package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/internal/demo"
)

func newDemo() *cobra.Command {
	var o demo.Options
	var limit span
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch a router, and workers that come late, leave, freeze and are killed",
		Long: `Start a router as weir run makes it and workers that dial in to it, send a gentle
stream of requests, and tell what happens: some workers start before the router, one
comes late, one leaves and comes back, one freezes, one is killed. Everything is in
this process and on loopback; attach a server of your own to it, as it says at the
start. It ends with Ctrl-C, and says what was counted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			o.Colour = takesColour(o.Out)
			o.For = time.Duration(limit.Duration)
			if err := o.Check(); err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			return failed(runDemo(o))
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "", "`address` of the router, on loopback (default 127.0.0.1:8080, or the next free port)")
	cmd.Flags().Var(&limit, "for", "end by itself after this `duration`, such as 30s")
	cmd.Flags().BoolVar(&o.Quiet, "quiet", false, "leave out the line for each request")
	return cmd
}

func runDemo(o demo.Options) error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	// From the first signal on, the next one ends the process at once.
	context.AfterFunc(ctx, release)
	return explainListen(demo.Run(ctx, o))
}

// takesColour reports whether w is a terminal whose user does not mind colours;
// see https://no-color.org.
func takesColour(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
