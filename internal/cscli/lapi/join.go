package lapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/credentials"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/pki"
	"shieldwall/internal/wire"
)

const (
	joinTimeout    = 30 * time.Second
	defaultJoinDir = "/etc/crowdsec/tls" // where there is no configuration
	fromStdin      = "-"
)

type joinOptions struct {
	dir       string
	file      string
	name      string
	tokenFile string
	force     bool
}

func newJoin(runner *session.Runner) *cobra.Command {
	var options joinOptions
	cmd := &cobra.Command{
		Use:   "join URL [TOKEN]",
		Short: "Fetch a certificate for this machine from a Local API, with a join token",
		Long: "Fetch a certificate for this machine from a Local API, with a token that 'cscli pki token' has made there.\n" +
			"The key is made here and stays here. Nothing is sent before the Local API has shown that it is the one that the token is of.\n" +
			"For a log processor the credentials are written; for a bouncer the lines that its file needs are shown, or written with -f.\n" +
			"Arguments can be seen by everybody on this machine while the command runs: --token-file keeps the token to yourself.",
		Example: "cscli lapi join https://10.0.0.1:8080 swjoin_…\n" +
			"cscli pki token --kind agent -o raw | ssh root@web-1 cscli lapi join https://10.0.0.1:8080 --token-file -",
		Args: session.Args(cobra.RangeArgs(1, 2)),
		RunE: runner.RunAnywhere(func(ctx context.Context, s *session.Session, args []string) error {
			text, err := tokenText(s, args[1:], options.tokenFile)
			if err != nil {
				return err
			}
			return join(ctx, s, args[0], text, options)
		}),
	}
	set := cmd.Flags()
	set.StringVar(&options.dir, "dir", "", "folder for certificate, key and bundle (default: tls in the folder of the configuration)")
	set.StringVarP(&options.file, "file", "f", "", "file to write the credentials, or the lines of the bouncer, to")
	set.StringVar(&options.name, "name", "", "name for the certificate, unless the token has one (default: that of this machine)")
	set.StringVar(&options.tokenFile, "token-file", "", "file with the token, - for standard input")
	set.BoolVar(&options.force, "force", false, "replace files that are there")
	return cmd
}

// tokenText returns the token that is an argument or in a file.
func tokenText(s *session.Session, argument []string, file string) (string, error) {
	switch {
	case len(argument) > 0 && file != "":
		return "", errors.New("the token is an argument already: leave that or --token-file out")
	case len(argument) > 0:
		return argument[0], nil
	case file == "":
		return "", errors.New("no join token: give it as an argument, or with --token-file (- for standard input)")
	case file != fromStdin:
		text, err := os.ReadFile(file) //nolint:gosec // G304: the administrator names the file
		if err != nil {
			return "", fmt.Errorf("reading the token: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	if s.StderrTerminal {
		_, _ = fmt.Fprint(s.Stderr, "Join token: ")
	}
	text, err := s.ReadPassword()
	if err != nil {
		return "", fmt.Errorf("reading the token from standard input: %w", err)
	}
	return strings.TrimSpace(text), nil
}

func join(ctx context.Context, s *session.Session, at, text string, options joinOptions) error {
	url, err := secureURL(at)
	if err != nil {
		return err
	}
	token, err := pki.ParseToken(text)
	if err != nil {
		return err
	}
	name, err := newcomerName(s, token, options.name)
	if err != nil {
		return err
	}
	place := newcomerPlace{dir: joinDir(s, options.dir), kind: token.Kind, file: options.file, force: options.force}
	if token.Kind == pki.Agent {
		place.file = cmp.Or(options.file, s.CredentialsPath())
	}
	key, err := place.prepare(name)
	if err != nil {
		return err
	}
	defer key.discard()
	issued, err := redeem(ctx, s, url, token, key)
	if err != nil {
		return fmt.Errorf("joining %s: %w", url, err)
	}
	joined, err := place.settle(key, issued)
	if err != nil {
		return fmt.Errorf("the token is used, and what came of it cannot be kept: %w; revoke '%s' there before another try", err, name)
	}
	return report(ctx, s, url, place, joined)
}

// secureURL adds the scheme to what has none: nobody joins without TLS.
func secureURL(url string) (string, error) {
	switch {
	case strings.HasPrefix(url, "https://"):
		return url, nil
	case strings.Contains(url, "://") || strings.HasPrefix(url, "/"):
		return "", fmt.Errorf("'%s' does not begin with https://, and nobody joins without TLS", url)
	}
	return "https://" + url, nil
}

// newcomerName tells the bouncer of a machine from its log processor.
func newcomerName(s *session.Session, token pki.Token, wanted string) (string, error) {
	name := cmp.Or(token.Name, wanted)
	switch {
	case name != "":
	case s.Hostname == "":
		return "", fmt.Errorf("the name of this machine is not known: use --name")
	case token.Kind == pki.Bouncer:
		name = "bouncer-" + s.Hostname
	default:
		name = s.Hostname
	}
	if err := pki.CheckName(name); err != nil {
		return "", fmt.Errorf("%w: use --name", err)
	}
	return name, nil
}

func redeem(ctx context.Context, s *session.Session, url string, token pki.Token, key *stagedKey) (wire.IssuedCertificate, error) {
	client, err := localapiclient.New(localapiclient.Config{
		URL: localapiclient.URLs{url}, UserAgent: s.Build.UserAgent(), PinnedCA: token.Fingerprint[:], Timeout: joinTimeout, Now: s.Now,
	}, s.Log)
	if err != nil {
		return wire.IssuedCertificate{}, err
	}
	defer client.Close()
	return client.Join(ctx, wire.Join{Secret: token.Secret(), CSR: key.csr})
}

// joined is what came of it, as JSON and CSV.
type joined struct {
	Name        string    `json:"name"`
	Kind        pki.Kind  `json:"kind"`
	NotAfter    time.Time `json:"not_after"`
	Certificate string    `json:"certificate"`
	Key         string    `json:"key"`
	Bundle      string    `json:"bundle"`
	File        string    `json:"file,omitempty"` // that was written for the program that uses it
}

func report(ctx context.Context, s *session.Session, url string, place newcomerPlace, j joined) error {
	lines, err := j.configuration(ctx, s, url)
	if err != nil {
		return err
	}
	if err := place.configure(lines); err != nil {
		return err
	}
	j.File = place.file
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(j)
	case session.Raw:
		return s.PrintCSV([]string{"name", "kind", "not_after", "certificate", "key", "bundle", "file"},
			[][]string{{j.Name, string(j.Kind), j.NotAfter.Format(time.RFC3339), j.Certificate, j.Key, j.Bundle, j.File}})
	case session.Human:
	}
	s.Info(ctx, "joined %s as %s '%s', with a certificate until %s: %s", url, j.Kind, j.Name, j.NotAfter.Format(time.RFC3339), j.Certificate)
	service := "crowdsec"
	if j.Kind == pki.Bouncer {
		service = "crowdsec-firewall-bouncer"
	}
	if place.file == "" {
		s.Info(ctx, "these lines go into the configuration of %s; then run 'sudo systemctl restart %s'", service, service)
		return s.Print(string(lines))
	}
	s.Info(ctx, "configuration written to '%s'", place.file)
	s.Warn(ctx, "Run 'sudo systemctl restart %s' for the new configuration to be effective.", service)
	return nil
}

// configuration is the file of credentials, without another way to log in, or the lines of a bouncer, without a key.
func (j joined) configuration(ctx context.Context, s *session.Session, url string) ([]byte, error) {
	if j.Kind == pki.Bouncer {
		return fmt.Appendf(nil, "api_url: %s\napi_key: \"\"\nca_cert_path: %s\ncert_path: %s\nkey_path: %s\n",
			url, j.Bundle, j.Certificate, j.Key), nil
	}
	return credentials.Encode(config.Credentials{
		PAPIURL: existing(ctx, s).PAPIURL, URL: localapiclient.URLs{url},
		CACertPath: j.Bundle, CertPath: j.Certificate, KeyPath: j.Key,
	})
}
