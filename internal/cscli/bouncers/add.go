package bouncers

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
)

// keyBytes is how much randomness a generated key holds.
const keyBytes = 32

func newAdd(runner *session.Runner) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:     "add <name>",
		Short:   "add a single bouncer to the database",
		Example: "cscli bouncers add MyBouncerName\ncscli bouncers add MyBouncerName --key <random-key>",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return add(ctx, s, db, args[0], key)
		}),
	}
	set := cmd.Flags()
	set.StringVarP(&key, "key", "k", "", "API key of the bouncer (default: a generated one)")
	set.StringP("length", "l", "", "has no effect: generated keys have one length")
	_ = set.MarkHidden("length") // scripts still give it
	return cmd
}

func add(ctx context.Context, s *session.Session, db *session.Store, name, key string) error {
	if name == "" {
		return errors.New("unable to create bouncer: the name is empty")
	}
	if key == "" {
		generated, err := newKey(s.Random)
		if err != nil {
			return err
		}
		key = generated
	}
	_, err := db.AddBouncer(ctx, domain.Bouncer{Name: name, KeyHash: auth.HashKey(key), AuthType: domain.AuthAPIKey})
	if fault.Is(err, fault.Exists) {
		return fmt.Errorf("unable to create bouncer: bouncer %s already exists", name)
	}
	if err != nil {
		return fmt.Errorf("unable to create bouncer: %w", err)
	}
	db.Record(ctx, "bouncer.add", name, 1)
	return tellKey(s, name, key)
}

func newKey(random io.Reader) (string, error) {
	secret := make([]byte, keyBytes)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", fmt.Errorf("generating api key: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(secret), nil
}

func tellKey(s *session.Session, name, key string) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSON(key, "")
	case session.Raw:
		return s.Print(key)
	case session.Human:
	}
	return s.Printf("API key for '%s':\n\n   %s\n\nPlease keep this key since you will not be able to retrieve it!\n", name, key)
}
