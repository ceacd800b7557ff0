package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

func newCheck() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Tell what is wrong, or unwise, in a configuration file",
		Long: `Read a configuration file as weir run does, with the files that it names, and tell
everything that is wrong in it, and what is legal and unwise. Nothing is opened.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return errors.New("name the file: weir check -c weir.yaml")
			}
			return failed(check(file, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	addConfigFlag(cmd, &file)
	return cmd
}

func addConfigFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "configuration `file`")
	if err := cmd.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err) // there is no such flag
	}
}

func check(file string, stdout, stderr io.Writer) error {
	c, err := load(file, stderr)
	if err != nil {
		return err
	}
	if err := tryOut(*c); err != nil {
		return inFile(file, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: ok, %s\n", file, extent(c))
	return err
}

// load reads a configuration file, and writes its warnings.
func load(file string, stderr io.Writer) (*weir.Config, error) {
	c, warnings, err := weir.Load(file)
	for _, w := range warnings {
		warn(stderr, "%v", w)
	}
	return c, err
}

func warn(stderr io.Writer, format string, args ...any) {
	fmt.Fprintf(stderr, "warning: "+format+"\n", args...)
}

// tryOut finds what is wrong beyond the configuration itself: in files that it
// names. It makes a proxy and opens nothing, so the access log, which a proxy
// creates, is looked at here.
func tryOut(c weir.Config) error {
	if c.AccessLog != nil {
		if err := appendable(c.AccessLog.Path); err != nil {
			return fmt.Errorf("access_log: %w", err)
		}
		c.AccessLog = nil
	}
	p, err := weir.New(c)
	if err != nil {
		return err
	}
	return p.Shutdown(context.Background())
}

// appendable reports why lines could not be appended to path, without creating
// it.
func appendable(path string) error {
	if path == "stdout" || path == "stderr" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(path))
		return err
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// extent tells how much is configured.
func extent(c *weir.Config) string {
	endpoints := 0
	for _, s := range c.Services {
		endpoints += len(s.Endpoints)
		for _, v := range s.Versions {
			endpoints += len(v.Endpoints)
		}
	}
	return fmt.Sprintf("%s, %s, %s, %s", count(len(c.Listeners), "listener"),
		count(len(c.Routes), "route"), count(len(c.Services), "service"), count(endpoints, "endpoint"))
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// inFile names the file in an error that does not say itself where it stands.
func inFile(file string, err error) error {
	var placed config.Problems
	if errors.As(err, &placed) {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}
