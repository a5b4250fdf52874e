package sql

import (
	"context"
	dbsql "database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS // content, compiled in

const adoptVersion = 3

// migrate brings the database to the schema of this version. The caller holds a lock that keeps others from doing so.
func (s *Store) migrate(ctx context.Context, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations/"+s.engine.name)
	if err != nil {
		return err
	}
	adopt := goose.NewGoMigration(adoptVersion, &goose.GoFunc{RunTx: func(ctx context.Context, tx *dbsql.Tx) error {
		var logged int64
		return s.engine.adopt(ctx, session{db: tx, engine: s.engine, logged: &logged}, s.now())
	}}, nil)
	provider, err := goose.NewProvider(s.engine.migrations, s.writer, files,
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
	if s.engine.restore == nil {
		return nil
	}
	return s.engine.restore(ctx, session{db: s.writer, engine: s.engine}, log)
}
