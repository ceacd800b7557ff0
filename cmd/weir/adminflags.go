package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Environment variables that stand for flags. The token is safer there: others on
// the same machine cannot see it, as they can on the command line.
const (
	adminVariable      = "WEIR_ADMIN"
	adminTokenVariable = "WEIR_ADMIN_TOKEN"
)

const defaultAdmin = "127.0.0.1:9900"

// adminFlags are the flags of commands that talk to a router which runs.
type adminFlags struct {
	set *pflag.FlagSet

	admin  string
	token  string
	output string
}

func (f *adminFlags) add(cmd *cobra.Command) {
	f.set = cmd.Flags()
	f.set.StringVar(&f.admin, "admin", "", "`address` of the router's admin API: host:port, http(s)://host:port or unix:/path (default what "+adminVariable+" in the environment has, else "+defaultAdmin+")")
	f.set.StringVar(&f.token, "token", "", "`secret` that lets it in there (default what "+adminTokenVariable+" in the environment has; others on this machine cannot see it there)")
	f.set.StringVarP(&f.output, "output", "o", "text", "`format`: text or json")
	completeWith(cmd, "output", outputs)
}

// connect returns the router that the flags name. An error is bad usage.
func (f *adminFlags) connect(stderr io.Writer) (*adminClient, error) {
	if !slices.Contains(outputs, f.output) {
		return nil, notOneOf("--output", f.output, outputs)
	}
	for _, name := range []string{"admin", "token"} {
		if f.set.Changed(name) && f.set.Lookup(name).Value.String() == "" {
			return nil, fmt.Errorf("--%s wants a value", name)
		}
	}
	address, from := f.address()
	c, err := newAdminClient(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if c.token = f.secret(); c.token != "" && c.isOpen() {
		warn(stderr, "the token goes to %s in clear text; use https://, or go there through a tunnel", address)
	}
	return c, nil
}

func (f *adminFlags) address() (address, from string) {
	if f.set.Changed("admin") {
		return f.admin, "--admin"
	}
	if address := os.Getenv(adminVariable); address != "" {
		return address, adminVariable
	}
	return defaultAdmin, "--admin"
}

func (f *adminFlags) secret() string {
	if f.set.Changed("token") {
		return f.token
	}
	return os.Getenv(adminTokenVariable)
}

// write writes a value as JSON, or has text write it for people.
func (f *adminFlags) write(w io.Writer, value any, text func() error) error {
	if f.output == "text" {
		return text()
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// oneService is for commands that may name a service.
func oneService(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("name one service, or none for all; there are %d", len(args))
	}
	if len(args) == 1 && args[0] == "" {
		return errors.New("the name of the service is empty")
	}
	return nil
}

// exactly is for commands whose arguments are all needed. what tells which.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n || slices.Contains(args, "") {
			return errors.New("name " + what)
		}
		return nil
	}
}
