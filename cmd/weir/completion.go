package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write a script that completes commands and flags in a shell",
		Long: `Write a script that completes commands and flags in a shell: bash, zsh, fish or
powershell.

  bash         source <(weir completion bash)
  zsh          weir completion zsh > "${fpath[1]}/_weir"
  fish         weir completion fish > ~/.config/fish/completions/weir.fish
  powershell   weir completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args:      oneShell,
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(writeCompletion(cmd.Root(), args[0], cmd.OutOrStdout()))
		},
	}
}

func oneShell(_ *cobra.Command, args []string) error {
	switch {
	case len(args) != 1:
		return fmt.Errorf("name one shell: %s", strings.Join(shells, ", "))
	case !slices.Contains(shells, args[0]):
		return notOneOf("shell", args[0], shells)
	}
	return nil
}

func writeCompletion(root *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	default:
		return root.GenPowerShellCompletionWithDesc(w)
	}
}

// completeWith has shells offer these values for a flag.
func completeWith(cmd *cobra.Command, flag string, values []string) {
	complete := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // there is no such flag
	}
}

func notOneOf(what, value string, legal []string) error {
	return fmt.Errorf("%s %q is not one of %s", what, value, strings.Join(legal, ", "))
}
