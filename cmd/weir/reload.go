package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func newReload() *cobra.Command {
	flags := new(adminFlags)
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have a router that runs read its configuration again",
		Long: `Have a router that runs read its configuration file and certificates again, and go by
them from the next request on; or tell what is wrong, as weir check does, and then
everything stays as it was.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			router, err := flags.connect(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(reload(router, flags, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	flags.add(cmd)
	return cmd
}

func reload(router *adminClient, flags *adminFlags, stdout, stderr io.Writer) error {
	var done struct {
		Reloaded bool     `json:"reloaded"`
		Warnings []string `json:"warnings"`
	}
	_, err := router.call(http.MethodPost, adminPath("reload"), nil, &done)
	if wrong := (*refused)(nil); errors.As(err, &wrong) && len(wrong.Problems) > 0 {
		return asProblems(wrong.Problems)
	}
	if err != nil {
		return err
	}
	return flags.write(stdout, done, func() error {
		for _, w := range done.Warnings {
			warn(stderr, "%s", printableLines(w))
		}
		_, err := fmt.Fprintln(stdout, "configuration and certificates were read again")
		return err
	})
}
