package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/session"
)

// feature is an experiment of the published engine. Here none of them is needed, and what each name says is so:
// they are known so that files and scripts that set them go on working.
type feature struct {
	name, description string
	deprecated        string // what to know about it, "" while it is not
}

func features() []feature {
	return []feature{
		{"chunked_decisions_stream", "Send the stream of decisions in pieces", "the stream is always sent in pieces"},
		{"disable_http_retry_backoff", "Fail at once where the Local API does not answer", ""},
		{"papi_client", "Take orders of the console", "the console is not supported"},
		{"pprof_block_profile", "Profile where goroutines wait", ""},
		{"re2_disable_grok_support", "Match grok patterns without RE2", ""},
		{"re2_grok_support", "Match grok patterns with RE2", "all patterns are matched in linear time"},
		{"re2_regexp_in_file_support", "Match files of regular expressions with RE2", ""},
	}
}

func newFeatureFlags(runner *session.Runner) *cobra.Command {
	retired := false
	cmd := &cobra.Command{
		Use:   "feature-flags",
		Short: "Displays feature flag status",
		Long:  "Show which features are switched on by CROWDSEC_FEATURE_… in the environment or by feature.yaml beside the configuration.",
		Args:  session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			enabled, err := enabledFeatures(ctx, s)
			if err != nil {
				return err
			}
			if s.Output == session.JSON {
				return s.PrintJSONLine(enabled)
			}
			return s.Print(featureText(enabled, retired))
		}),
	}
	cmd.Flags().BoolVar(&retired, "retired", false, "show retired features as well")
	return cmd
}

// enabledFeatures asks the environment, then feature.yaml, which can only add.
func enabledFeatures(ctx context.Context, s *session.Session) (map[string]bool, error) {
	enabled := map[string]bool{}
	for _, f := range features() {
		value, _ := s.LookupEnv("CROWDSEC_FEATURE_" + strings.ToUpper(f.name))
		enabled[f.name] = value == "true"
	}
	path := filepath.Join(filepath.Dir(s.Config.FilePath), "feature.yaml")
	text, err := os.ReadFile(path) //nolint:gosec // beside the configuration
	if missing(err) {
		return enabled, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading features: %w", err)
	}
	var names []string
	if err := yaml.Unmarshal(text, &names); err != nil {
		return nil, fmt.Errorf("reading features: %s: %w", path, err)
	}
	for _, name := range names {
		if _, known := enabled[name]; !known {
			s.Error(ctx, "feature '%s' in %s does not exist", name, path)
			continue
		}
		enabled[name] = true
	}
	return enabled, nil
}

func featureText(enabled map[string]bool, retired bool) string {
	text := section("Enabled", "✓", slices.DeleteFunc(features(), func(f feature) bool { return !enabled[f.name] })) + "\n" +
		section("Disabled", "✗", slices.DeleteFunc(features(), func(f feature) bool { return enabled[f.name] }))
	if retired {
		text += "\n" + section("Retired", "", nil)
	}
	return text
}

func section(title, mark string, of []feature) string {
	var text strings.Builder
	text.WriteString(" --- " + title + " features ---\n\n")
	for _, f := range of {
		fmt.Fprintf(&text, "%s %s: %s\n", mark, f.name, f.description)
		if f.deprecated != "" {
			fmt.Fprintf(&text, "  DEPRECATED %s\n", f.deprecated)
		}
	}
	return text.String()
}
