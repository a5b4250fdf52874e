package sql

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS // content, compiled in

const adoptVersion = 3

// migrate brings the database to the schema of this version, each step in a transaction of its own.
func (s *Store) migrate(ctx context.Context, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	adopt := goose.NewGoMigration(adoptVersion, &goose.GoFunc{RunTx: s.adopt}, nil)
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writer, files,
		goose.WithGoMigrations(adopt), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("preparing migrations: %w", err)
	}
	applied, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if len(applied) > 0 {
		log.InfoContext(ctx, "database migrated", "from_version", applied[0].Source.Version-1,
			"to_version", applied[len(applied)-1].Source.Version)
	}
	return nil
}
