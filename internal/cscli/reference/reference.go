// Package reference holds the command that writes a page about every command, from what the commands say of themselves.
package reference

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// New returns the hidden command "doc".
func New() *cobra.Command {
	target := ""
	cmd := &cobra.Command{
		Use:    "doc",
		Short:  "Generate the documentation in Markdown",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := os.MkdirAll(target, 0o750); err != nil {
				return fmt.Errorf("making the target folder: %w", err)
			}
			if err := writeAll(cmd.Root(), target); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Documentation generated in %s\n", target)
			return err
		},
	}
	cmd.Flags().StringVar(&target, "target", "./doc", "folder to write to")
	return cmd
}

// writeAll writes the page of a command and those below it.
func writeAll(cmd *cobra.Command, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, fileName(cmd)), []byte(page(cmd)), 0o644); err != nil { //nolint:gosec // documentation is for everybody
		return fmt.Errorf("writing documentation: %w", err)
	}
	for _, child := range documented(cmd) {
		if err := writeAll(child, dir); err != nil {
			return err
		}
	}
	return nil
}

func documented(cmd *cobra.Command) (children []*cobra.Command) {
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			children = append(children, child)
		}
	}
	return children
}

func fileName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
}

// page is what a command says of itself.
func page(cmd *cobra.Command) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "## %s\n\n%s\n", cmd.CommandPath(), cmd.Short)
	if cmd.Long != "" {
		fmt.Fprintf(&text, "\n### Synopsis\n\n%s\n", cmd.Long)
	}
	if cmd.Runnable() {
		fmt.Fprintf(&text, "\n```\n%s\n```\n", cmd.UseLine())
	}
	for _, block := range [][2]string{
		{"Examples", cmd.Example},
		{"Options", cmd.NonInheritedFlags().FlagUsages()},
		{"Options inherited from parent commands", cmd.InheritedFlags().FlagUsages()},
	} {
		if block[1] != "" {
			fmt.Fprintf(&text, "\n### %s\n\n```\n%s\n```\n", block[0], strings.TrimRight(block[1], "\n"))
		}
	}
	var links strings.Builder
	if parent := cmd.Parent(); parent != nil {
		links.WriteString(link(parent))
	}
	for _, child := range documented(cmd) {
		links.WriteString(link(child))
	}
	fmt.Fprintf(&text, "\n### See also\n\n%s", links.String())
	return text.String()
}

func link(cmd *cobra.Command) string {
	return fmt.Sprintf("* [%s](%s) - %s\n", cmd.CommandPath(), fileName(cmd), cmd.Short)
}
