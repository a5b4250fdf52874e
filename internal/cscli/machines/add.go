package machines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/bcrypt"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/credentials"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapiclient"
)

// hashCost is bcrypt's; the Local API checks passwords with the cost that the hash names.
const hashCost = 10

const toStderr = "-"

type addOptions struct {
	auto        bool
	interactive bool
	force       bool
	password    password
	file        string
	url         string
}

func newAdd(runner *session.Runner) *cobra.Command {
	var options addOptions
	cmd := &cobra.Command{
		Use:   "add [name]",
		Short: "add a single machine to the database",
		Long: "Register a machine in the database of this Local API and write its credentials to a file.\n" +
			"The machine may send alerts at once.",
		Example: "cscli machines add --auto\ncscli machines add MyTestMachine --auto\n" +
			"cscli machines add MyTestMachine --password MyPassword -f ./credentials.yaml\ncscli machines add -f- --auto > credentials.yaml",
		Args: session.Args(cobra.MaximumNArgs(1)),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return add(ctx, s, db, append(args, "")[0], options)
		}),
	}
	set := cmd.Flags()
	set.VarP(&options.password, "password", "p", "password of the machine")
	set.StringVarP(&options.file, "file", "f", "", "file to write the credentials to (default: the configured one)")
	set.StringVarP(&options.url, "url", "u", "", "URL of the Local API, for the credentials")
	set.BoolVarP(&options.interactive, "interactive", "i", false, "ask for the password")
	set.BoolVarP(&options.auto, "auto", "a", false, "generate the password, and the name if none is given")
	set.BoolVar(&options.force, "force", false, "overwrite the credentials file, and the password of an existing machine")
	return cmd
}

func add(ctx context.Context, s *session.Session, db *session.Store, name string, options addOptions) error {
	name, err := chooseName(s, name, options)
	if err != nil {
		return err
	}
	target, err := chooseTarget(ctx, s, db, options)
	if err != nil {
		return err
	}
	secret, err := choosePassword(s, options)
	if err != nil {
		return err
	}
	if err := keep(ctx, db, name, secret, options.force); err != nil {
		return fmt.Errorf("unable to create machine: %w", err)
	}
	_, _ = fmt.Fprintf(s.Stderr, "Machine '%s' successfully added to the local API.\n", name)
	return handOver(s, target, config.Credentials{URL: localapiclient.URLs{chooseURL(s, options)}, Login: name, Password: secret})
}

func chooseName(s *session.Session, name string, options addOptions) (string, error) {
	if name != "" {
		return name, nil
	}
	if !options.auto {
		return "", errors.New("please specify a machine name to add, or use --auto")
	}
	return credentials.NewMachineID(s.MachineIDFiles, s.Random)
}

func chooseTarget(ctx context.Context, s *session.Session, db *session.Store, options addOptions) (string, error) {
	if options.file != "" {
		return options.file, nil
	}
	path := s.CredentialsPath()
	if path == "" {
		return "", errors.New(`please specify a file to dump credentials to, with -f ("-f -" for standard output)`)
	}
	if options.force {
		return path, nil
	}
	if _, err := os.Stat(path); err != nil {
		return path, nil //nolint:nilerr // what is wrong with the file is found when it is written
	}
	if worthless, err := orphaned(ctx, s, db, path); worthless || err != nil {
		return path, err
	}
	return "", fmt.Errorf("credentials file '%s' already exists: please remove it, use \"--force\" "+
		"or specify a different file with \"-f\" (\"-f -\" for standard output)", path)
}

// orphaned reports whether a credentials file is for the Local API of this machine, and of a login that its database does
// not know: after a change of the database such a file lets nobody in.
func orphaned(ctx context.Context, s *session.Session, db *session.Store, path string) (bool, error) {
	creds, err := config.ReadCredentials(path, s.LookupEnv)
	if err != nil || creds.Login == "" || len(creds.URL) != 1 ||
		strings.TrimSuffix(creds.URL[0], "/") != chooseURL(s, addOptions{}) {
		return false, nil //nolint:nilerr // what cannot be understood may be worth something
	}
	_, err = db.Machine(ctx, creds.Login)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}

func choosePassword(s *session.Session, options addOptions) (string, error) {
	switch {
	case options.password != "":
		return string(options.password), nil
	case options.interactive:
		_, _ = fmt.Fprint(s.Stderr, "Please provide a password for the machine: ")
		return s.ReadPassword()
	case options.auto:
		return credentials.NewPassword(s.Random)
	}
	return "", errors.New("please specify a password with --password or use --auto")
}

func chooseURL(s *session.Session, options addOptions) string {
	server := s.Config.API.Server
	switch {
	case options.url != "":
		return options.url
	case server.ListenSocket != "":
		return server.ListenSocket
	}
	return "http://" + server.ListenURI
}

// keep stores the machine, ready to be used. With force an existing one gets the new password.
func keep(ctx context.Context, db *session.Store, name, secret string, force bool) error {
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), hashCost)
	if err != nil {
		return fmt.Errorf("hashing password: %w", err)
	}
	text := string(hash)
	err = db.AddMachine(ctx, domain.Machine{ID: name, PasswordHash: text, Validated: true, AuthType: domain.AuthPassword})
	if err == nil {
		db.Record(ctx, "machine.add", name, 1)
	}
	if !fault.Is(err, fault.Exists) {
		return err
	}
	if !force {
		return fmt.Errorf("user '%s': user already exist", name)
	}
	if err := db.UpdateMachine(ctx, name, store.MachineChange{PasswordHash: &text}); err != nil {
		return err
	}
	db.Record(ctx, "machine.set_password", name, 1)
	return nil
}

func handOver(s *session.Session, target string, creds config.Credentials) error {
	text, err := credentials.Encode(creds)
	if err != nil {
		return err
	}
	if target == toStderr {
		_, err := s.Stderr.Write(text)
		return err
	}
	if err := credentials.Write(target, text); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(s.Stderr, "API credentials written to '%s'.\n", target)
	return nil
}

// password is a flag that is short enough for bcrypt.
type password string

// Set reads text.
func (p *password) Set(text string) error {
	if len(text) > credentials.MaxPassword {
		return fmt.Errorf("password too long (max %d characters)", credentials.MaxPassword)
	}
	*p = password(text)
	return nil
}

// String returns nothing: help texts show defaults, and a password is not to be shown.
func (p *password) String() string { return "" }

// Type names the kind of value in help texts.
func (p *password) Type() string { return "string" }
