package lapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/parser"
)

func newContextDetect(runner *session.Runner) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "detect [parser...]",
		Short:   "Detect available fields from the installed parsers",
		Long:    "Show which fields of an event the installed parsers may fill in, for use as context.",
		Example: "cscli lapi context detect --all\ncscli lapi context detect shieldwall/sshd-logs",
		ValidArgsFunction: runner.Complete(func(_ context.Context, s *session.Session) ([]string, error) {
			inventory, err := scanHub(s)
			if err != nil {
				return nil, err
			}
			return inventory.Names(hub.Parsers), nil
		}),
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "show the fields of all installed parsers")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !all && len(args) == 0 {
			_ = cmd.Help()
			return errors.New("please provide parsers to detect or --all flag")
		}
		return runWithRules(runner, func(ctx context.Context, s *session.Session, args []string) error {
			return detect(ctx, s, args, all)
		})(cmd, args)
	}
	return cmd
}

func detect(ctx context.Context, s *session.Session, wanted []string, all bool) error {
	fields, err := parserFields(s) //nolint:contextcheck // expressions are compiled here, and never run
	if err != nil {
		return err
	}
	if all {
		wanted = slices.Sorted(maps.Keys(fields))
	}
	text := block("Acquisition", []string{"evt.Line.Module", "evt.Line.Raw", "evt.Line.Src"})
	for _, name := range wanted {
		if _, known := fields[name]; !known {
			s.Error(ctx, "parser '%s' not found, can't detect fields", name)
			continue
		}
		text += "\n" + block(name, fields[name])
	}
	return s.Print(text)
}

// block is a list in YAML, with a name that people find.
func block(name string, fields []string) string {
	return fmt.Sprintf("%s :\n\n  - %s\n", name, strings.Join(fields, "\n  - "))
}

// parserFields returns what each installed parser may fill in, by its name. Data files are not needed for that.
func parserFields(s *session.Session) (map[string][]string, error) {
	inventory, err := scanHub(s)
	if err != nil {
		return nil, err
	}
	patterns, err := parser.Patterns(s.Config.Paths.PatternDir)
	if err != nil {
		return nil, err
	}
	var items []parser.Item
	for _, item := range inventory.Installed(hub.Parsers) {
		items = append(items, parser.Item{Path: item.Path, Stage: item.Stage, Text: item.Text})
	}
	silent := slog.New(slog.DiscardHandler)
	data, memory := datafile.New(silent, s.Now), stash.New(s.Now)
	set, err := parser.Load(items, parser.Deps{
		Log: silent, Patterns: patterns, Data: data, DataDir: s.Config.Paths.DataDir, Stash: memory,
		Expressions: expression.New(expression.Deps{Log: silent, Now: s.Now, Data: data, Stash: memory}),
		Methods:     enrich.Registry(enrich.Deps{Now: s.Now}),
	})
	if err != nil {
		return nil, fmt.Errorf("loading parsers: %w", err)
	}
	return set.Fields(), nil
}
