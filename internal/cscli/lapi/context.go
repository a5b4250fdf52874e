package lapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/expression"
	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/alertcontext"
)

func newContext(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "context [command]",
			Short: "Manage context to send with alerts",
			Long:  "Choose what this log processor sends along with its alerts: for each key, expressions on the events that caused one.",
		},
		newContextAdd(runner), newContextStatus(runner), newContextDetect(runner), newContextDelete(runner),
	)
}

// runWithRules is Run for commands on the rules of this machine's log processor.
func runWithRules(runner *session.Runner, do session.Func) func(*cobra.Command, []string) error {
	return runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
		if s.Config.LogProcessor == nil {
			return errors.New("log processor is disabled -- this command cannot run on a LAPI-only instance")
		}
		return do(ctx, s, args)
	})
}

func newContextStatus(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List context to send with alerts",
		Args:  session.Args(cobra.NoArgs),
		RunE: runWithRules(runner, func(_ context.Context, s *session.Session, _ []string) error {
			texts, err := contextTexts(s) //nolint:contextcheck // expressions are compiled here, and never run
			if err != nil {
				return err
			}
			return showContext(s, texts)
		}),
	}
}

func showContext(s *session.Session, texts map[string][]string) error {
	if s.Output == session.JSON {
		return s.PrintJSONLine(texts)
	}
	if len(texts) == 0 {
		return s.Print("No context found on this agent. You can use 'cscli lapi context add' to add context to your alerts.\n")
	}
	encoded, err := yaml.Marshal(texts)
	if err != nil {
		return fmt.Errorf("encoding context: %w", err)
	}
	return s.Print(string(encoded))
}

// newContextDelete returns a command that says what to do instead, as published.
func newContextDelete(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "delete",
		Short: "Removed: edit the context file instead",
		RunE: runner.Run(func(_ context.Context, s *session.Session, _ []string) error {
			place := "the context file"
			if s.Config.LogProcessor != nil {
				place = s.Config.LogProcessor.ConsoleContextPath
			}
			return fmt.Errorf("command 'delete' has been removed, please manually edit %s", place)
		}),
	}
}

// contextTexts returns the expressions of the installed contexts, of the local file and of more, by key.
func contextTexts(s *session.Session, more ...alertcontext.File) (map[string][]string, error) {
	inventory, err := scanHub(s)
	if err != nil {
		return nil, err
	}
	files, err := contextFiles(inventory.Installed(hub.Contexts), s.Config.LogProcessor.ConsoleContextPath)
	if err != nil {
		return nil, err
	}
	set, err := alertcontext.Load(append(files, more...), alertcontext.Deps{
		Log: s.Log, Expressions: expression.New(expression.Deps{Log: s.Log, Now: s.Now}), MaxLength: s.Config.LogProcessor.ContextValueLength,
	})
	if err != nil {
		return nil, fmt.Errorf("loading alert context: %w", err)
	}
	return set.Texts(), nil
}

// contextFiles returns the files in the order in which the log processor joins them. The local one may be missing: it
// is made here.
func contextFiles(installed []hub.Item, local string) ([]alertcontext.File, error) {
	byName := func(a, b hub.Item) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }
	var files []alertcontext.File
	for _, item := range slices.SortedStableFunc(slices.Values(installed), byName) {
		files = append(files, alertcontext.File{Path: item.Path, Text: item.Text})
	}
	text, err := os.ReadFile(local) //nolint:gosec // the configured file
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading console_context_path: %w", err)
	}
	return append(files, alertcontext.File{Path: local, Text: text, Local: true}), nil
}

func scanHub(s *session.Session) (*hub.Inventory, error) {
	paths := s.Config.Paths
	return hub.Scan(hub.Paths{HubDir: paths.HubDir, IndexPath: paths.IndexPath, ConfigDir: paths.ConfigDir}, s.Log)
}
