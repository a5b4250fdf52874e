package sql

import (
	"context"
	dbsql "database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"shieldwall/internal/domain/fault"
)

// Secret returns the value kept under name. The first call ever, in whatever process, stores what generate
// returns; all others return the same. Names are those of config_items, so they must not be among the published.
func (s *Store) Secret(ctx context.Context, name string, generate func() ([]byte, error)) (secret []byte, err error) {
	err = s.write(ctx, func(tx session) error {
		var text string
		err := tx.one(ctx, []any{&text}, "SELECT value FROM config_items WHERE name = ?", name)
		if errors.Is(err, dbsql.ErrNoRows) {
			secret, err = tx.addSecret(ctx, name, generate, tx.time(s.now()))
			return err
		}
		if err != nil {
			return err
		}
		secret, err = base64.StdEncoding.DecodeString(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return secret, nil
}

func (s session) addSecret(ctx context.Context, name string, generate func() ([]byte, error), now any) ([]byte, error) {
	secret, err := generate()
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(secret)
	err = s.insertStamped(ctx, insertion{table: "config_items", columns: []string{"name", "value"}, stamp: now}, []any{name, text})
	if err != nil && s.engine.reasonOf(err).kind == fault.Exists {
		return nil, conflictError{err} // another process was faster: the next look will find its secret
	}
	return secret, err
}
