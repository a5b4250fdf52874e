package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/expr-lang/expr"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/config/csconfig"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/yamlfile"
)

func newShow(runner *session.Runner) *cobra.Command {
	key := ""
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Displays current config",
		Long:  "Show the configuration that is in force: what the files say, and the defaults of what they do not.",
		Example: "cscli config show\ncscli config show -o raw\ncscli config show --key Config.API.Server.ListenURI\n" +
			"cscli config show --key Config.ConfigPaths",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			shown, err := read(ctx, s)
			if err != nil {
				return err
			}
			if key != "" {
				return showKey(s, shown, key)
			}
			return show(s, shown)
		}),
	}
	cmd.Flags().StringVar(&key, "key", "", "expression on the configuration: Config.API.Server.ListenURI")
	return cmd
}

func newShowYAML(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "show-yaml",
		Short: "Displays merged config.yaml + config.yaml.local",
		Args:  session.Args(cobra.NoArgs),
		RunE: runner.Run(func(_ context.Context, s *session.Session, _ []string) error {
			text, err := yamlfile.ReadMerged(s.Config.FilePath)
			if err != nil {
				return err
			}
			return s.Print(string(text))
		}),
	}
}

// read returns the configuration under its published names. A machine that has no credentials yet has a configuration
// nevertheless.
func read(ctx context.Context, s *session.Session) (*csconfig.Config, error) {
	return csconfig.Read(s.Config, s.LookupEnv, credentials(ctx, s))
}

func credentials(ctx context.Context, s *session.Session) *csconfig.ApiCredentialsCfg {
	path := s.CredentialsPath()
	if path == "" {
		return nil
	}
	known, err := config.ReadCredentials(path, s.LookupEnv)
	if err != nil {
		s.Error(ctx, "failed to load API credentials: %s", err)
		return nil
	}
	return &csconfig.ApiCredentialsCfg{
		PapiURL: known.PAPIURL, URL: known.URL.String(), Login: known.Login, Password: known.Password,
		CACertPath: known.CACertPath, KeyPath: known.KeyPath, CertPath: known.CertPath,
	}
}

func show(s *session.Session, shown *csconfig.Config) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(shown)
	case session.Raw:
		text, err := yaml.Marshal(shown)
		if err != nil {
			return fmt.Errorf("encoding the configuration: %w", err)
		}
		return s.Print(string(text))
	case session.Human:
	}
	return s.Print(summary(shown))
}

// environment is what an expression of --key sees.
type environment struct {
	Config *csconfig.Config
}

func showKey(s *session.Session, shown *csconfig.Config, key string) error {
	program, err := expr.Compile(key, expr.Env(environment{}))
	if err != nil {
		return err
	}
	value, err := expr.Run(program, environment{Config: shown})
	if err != nil {
		return err
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(value)
	}
	return s.Print(csconfig.Literal(value) + "\n")
}

// missing reports whether a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
