// Package completion holds the command that writes completion scripts for shells.
package completion

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the command "completion", which replaces the one that the command line library brings along.
func New() *cobra.Command {
	return &cobra.Command{
		Use:   "completion [bash|zsh|powershell|fish]",
		Short: "Generate completion script",
		Long: `Write a script that completes commands, flags and names.

Bash, for this session, and for all:
  source <(cscli completion bash)
  cscli completion bash | sudo tee /etc/bash_completion.d/cscli

Zsh:
  cscli completion zsh > "${fpath[1]}/_cscli"

fish:
  cscli completion fish > ~/.config/fish/completions/cscli.fish

PowerShell:
  cscli completion powershell | Out-String | Invoke-Expression`,
		DisableFlagsInUseLine: true,
		ValidArgs:             []string{"bash", "zsh", "powershell", "fish"},
		Args:                  session.Args(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return write(cmd.Root(), cmd.OutOrStdout(), args[0])
		},
	}
}

func write(root *cobra.Command, out io.Writer, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletion(out)
	case "zsh":
		return root.GenZshCompletion(out)
	case "powershell":
		return root.GenPowerShellCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	}
	return fmt.Errorf("no completion for %s", shell) // cobra has refused it before
}
