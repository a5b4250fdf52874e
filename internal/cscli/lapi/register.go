package lapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/credentials"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

type registerOptions struct {
	url     string
	file    string
	machine string
	token   string
}

func newRegister(runner *session.Runner) *cobra.Command {
	var options registerOptions
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register a machine to Local API (LAPI)",
		Long: "Register this machine to the Local API and write its credentials.\n" +
			"An administrator has to validate it (cscli machines validate) unless the token does.",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return register(ctx, s, options) }),
	}
	set := cmd.Flags()
	set.StringVarP(&options.url, "url", "u", "", "URL of the Local API (http://10.0.0.1:8080)")
	set.StringVarP(&options.file, "file", "f", "", "file to write the credentials to (default: the configured one)")
	set.StringVar(&options.machine, "machine", "", "name to register with (default: a generated one)")
	set.StringVar(&options.token, "token", "", "token for automatic validation")
	return cmd
}

func register(ctx context.Context, s *session.Session, options registerOptions) error {
	if s.Config.API.Client == nil {
		return errors.New("loading api client: no API client section in configuration")
	}
	creds := existing(ctx, s)
	if options.url != "" {
		creds.URL = localapiclient.URLs{options.url}
	}
	if len(creds.URL) == 0 {
		return errors.New("parsing api url: no Local API URL. Please provide it in your configuration or with the -u parameter")
	}
	var err error
	if creds.Login, creds.Password, err = newIdentity(s, options.machine); err != nil {
		return err
	}
	if err := announce(ctx, s, creds, options.token); err != nil {
		return fmt.Errorf("api client register: %w", err)
	}
	s.Info(ctx, "Successfully registered to Local API (LAPI)")
	return handOver(ctx, s, cmp.Or(options.file, s.CredentialsPath()), creds)
}

// existing returns the credentials that are configured already, as they are written: registering keeps
// what it does not replace. What cannot be read must not stand in the way of getting new ones.
func existing(ctx context.Context, s *session.Session) config.Credentials {
	path := s.CredentialsPath()
	if path == "" {
		return config.Credentials{}
	}
	creds, err := config.ReadCredentials(path, s.LookupEnv)
	if err != nil {
		s.Log.DebugContext(ctx, "no usable credentials yet", "error", err)
		return config.Credentials{}
	}
	return creds
}

func newIdentity(s *session.Session, machine string) (name, password string, err error) {
	name = machine
	if name == "" {
		if name, err = credentials.NewMachineID(s.MachineIDFiles, s.Random); err != nil {
			return "", "", err
		}
	}
	password, err = credentials.NewPassword(s.Random)
	return name, password, err
}

// announce registers at the first URL that answers. They may lack the scheme; the file keeps them as they were typed.
func announce(ctx context.Context, s *session.Session, creds config.Credentials, token string) error {
	target := creds
	target.URL = make(localapiclient.URLs, len(creds.URL))
	for i, url := range creds.URL {
		target.URL[i] = complete(url)
	}
	client, err := s.Client(target, nil)
	if err != nil {
		return err
	}
	return client.Register(ctx, wire.Registration{MachineID: creds.Login, Password: creds.Password, RegistrationToken: token})
}

func complete(url string) string {
	for _, known := range []string{"http://", "https://", "/"} {
		if strings.HasPrefix(url, known) {
			return url
		}
	}
	return "http://" + url
}

func handOver(ctx context.Context, s *session.Session, target string, creds config.Credentials) error {
	text, err := credentials.Encode(creds)
	if err != nil {
		return err
	}
	if target == "" {
		return s.Print(string(text))
	}
	if err := credentials.Write(target, text); err != nil {
		return err
	}
	s.Info(ctx, "Local API credentials written to '%s'", target)
	s.Warn(ctx, "Run 'sudo systemctl reload crowdsec' for the new configuration to be effective.")
	return nil
}
