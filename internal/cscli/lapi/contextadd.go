package lapi

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/logprocessor/alertcontext"
	"shieldwall/internal/platform/atomicfile"
)

func newContextAdd(runner *session.Runner) *cobra.Command {
	var (
		key    string
		values []string
	)
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Add context to send with alerts. You must specify the output key with the expr value you want",
		Long: "Add expressions to the local context file. Without --key each is known by its last word: source_ip for evt.Meta.source_ip.\n" +
			"The file gets what the installed contexts say as well.",
		Example: "cscli lapi context add --key source_ip --value evt.Meta.source_ip\n" +
			"cscli lapi context add --key file_source --value evt.Line.Src\n" +
			"cscli lapi context add --value evt.Meta.source_ip --value evt.Meta.target_user",
		Args: session.Args(cobra.NoArgs),
		RunE: runWithRules(runner, func(ctx context.Context, s *session.Session, _ []string) error {
			return addContext(ctx, s, byKey(key, values))
		}),
	}
	cmd.Flags().StringVarP(&key, "key", "k", "", "name under which the values are sent (default: the last word of each)")
	cmd.Flags().StringSliceVar(&values, "value", nil, "expression on an event; several are separated by commas")
	_ = cmd.MarkFlagRequired("value") // the flag exists: it is the one above
	return cmd
}

// byKey files values under a key, or each under its last word.
func byKey(key string, values []string) map[string][]string {
	if key != "" {
		return map[string][]string{key: values}
	}
	filed := map[string][]string{}
	for _, value := range values {
		last := value[strings.LastIndex(value, ".")+1:]
		filed[last] = append(filed[last], value)
	}
	return filed
}

func addContext(ctx context.Context, s *session.Session, additions map[string][]string) error {
	before, err := contextTexts(s) //nolint:contextcheck // expressions are compiled here, and never run
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(additions)
	if err != nil {
		return fmt.Errorf("encoding context: %w", err)
	}
	after, err := contextTexts(s, alertcontext.File{Path: "--value", Text: text, Local: true}) //nolint:contextcheck // expressions are compiled here, and never run
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(additions)) {
		tellAdded(ctx, s, key, before[key], after[key])
	}
	return saveContext(ctx, s, after)
}

// tellAdded says what a key has got: its texts are those of before, and new ones after them.
func tellAdded(ctx context.Context, s *session.Session, key string, before, after []string) {
	if before == nil {
		s.Info(ctx, "key '%s' added", key)
	}
	for _, value := range after[len(before):] {
		s.Info(ctx, "value '%s' added to key '%s'", value, key)
	}
}

func saveContext(ctx context.Context, s *session.Session, texts map[string][]string) error {
	path := s.Config.LogProcessor.ConsoleContextPath
	encoded, err := yaml.Marshal(texts)
	if err != nil {
		return fmt.Errorf("encoding context: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("making the folder of the context file: %w", err)
	}
	if err := atomicfile.Write(path, encoded, 0o600); err != nil {
		return fmt.Errorf("saving the context file: %w", err)
	}
	s.Info(ctx, "%s file saved", path)
	return nil
}
