package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // bad configuration, or it could not start or go on
	exitUsage  = 2 // bad command line
)

// execute runs the command line and returns the exit code. Errors are written to
// stderr.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	if failed := (*failure)(nil); errors.As(err, &failed) {
		fmt.Fprintln(stderr, failed)
		return exitFailed
	}
	fmt.Fprintf(stderr, "weir: %v\nRun '%s --help' for what is possible.\n", err, cmd.CommandPath())
	return exitUsage
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "A load-balancing reverse proxy",
		Long: `Weir is a load-balancing reverse proxy.

  weir demo                                          watch it work
  weir run --to http://localhost:3000                send every request there
  weir run --to http://10.0.0.1:80,http://10.0.0.2:80   or to several, in turn
  weir run -c weir.yaml                              do what a file says
  weir status                                        how is the one that runs?`,
		Version:       weir.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.DisableDefaultCmd = true // ours is one command with a description of its own
	root.SetFlagErrorFunc(explainFlag)
	root.AddCommand(newRun(), newAttach(), newCheck(), newDemo(), newVersion(), newCompletion())
	root.AddCommand(newStatus(), newServices(), newEndpoints(), newReload())
	return root
}

// A failure is an error of what a command does, unlike one in the way it was
// called.
type failure struct{ err error }

// Error is the error's text behind the program's name; problems of a
// configuration begin with their place in the file, for editors to jump to.
func (f *failure) Error() string {
	if problems := config.Problems(nil); errors.As(f.err, &problems) && len(problems) > 0 && problems[0].File != "" {
		return f.err.Error()
	}
	return "weir: " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// failed makes err a failure; nil stays nil.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}
