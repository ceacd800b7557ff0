package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/weirproxy/weir"
)

// build is what is known of this binary.
type build struct {
	Version string `json:"version"`
	// Commit is empty if it was not built in a checkout.
	Commit string `json:"commit,omitempty"`
	// Modified tells whether the checkout had changes beyond the commit.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Tell which version this is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch output {
			case "text":
				return failed(thisBuild().writeText(cmd.OutOrStdout()))
			case "json":
				return failed(json.NewEncoder(cmd.OutOrStdout()).Encode(thisBuild()))
			}
			return notOneOf("--output", output, outputs)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "`format`: text or json")
	completeWith(cmd, "output", outputs)
	return cmd
}

var outputs = []string{"text", "json"}

func thisBuild() build {
	b := build{Version: weir.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) writeText(w io.Writer) error {
	commit := ""
	if b.Commit != "" {
		commit = ", commit " + b.Commit[:min(12, len(b.Commit))]
		if b.Modified {
			commit += " with changes"
		}
	}
	_, err := fmt.Fprintf(w, "weir %s%s, %s, %s/%s\n", b.Version, commit, b.Go, b.OS, b.Arch)
	return err
}
