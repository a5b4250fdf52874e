package sql

import (
	"cmp"
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"shieldwall/internal/domain/fault"
)

// Config says which database to open.
type Config struct {
	Type         string           // "sqlite"
	Path         string           // of the file, or ":memory:"
	WAL          *bool            // write-ahead log; nil: on
	MaxOpenConns int              // connections that read at the same time; 0: 100
	Now          func() time.Time // nil: time.Now
}

// Store implements the interfaces of package store. It is safe for concurrent use.
type Store struct {
	// One connection writes, the others read. Writers of this process queue for it in memory, in order and
	// under their contexts, instead of polling the lock of the file.
	writer  *dbsql.DB
	reader  *dbsql.DB
	dialect dialect
	now     func() time.Time
}

// dialect is what engines do differently.
type dialect interface {
	// bindTime gives t the form in which its column keeps and compares it.
	bindTime(t time.Time) any
	// kindOf says why the engine refused a statement, Internal when it is nobody's business.
	kindOf(err error) fault.Kind
}

const defaultMaxOpenConns = 100

// Open opens the database, creates it where there is none, and migrates it. The caller closes the store.
// The error names the path; its kind is Invalid for a configuration that cannot work.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	if cfg.Type != "sqlite" {
		return nil, fault.Errorf(fault.Invalid, "unknown database type '%s'", cfg.Type)
	}
	if cfg.Path == "" {
		return nil, fault.Errorf(fault.Invalid, "no path is given for the sqlite database")
	}
	cfg.MaxOpenConns = cmp.Or(cfg.MaxOpenConns, defaultMaxOpenConns)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s, err := openSQLite(ctx, cfg, log)
	if err != nil {
		return nil, classify(fmt.Errorf("opening database %s: %w", cfg.Path, err), sqlite{})
	}
	return s, nil
}

// Close ends all connections; calls in progress fail.
func (s *Store) Close() error {
	if s.reader == s.writer {
		return s.writer.Close()
	}
	// The last connection that closes folds the write-ahead log into the file, so it has to be one that may write.
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// write runs do in one transaction, which is on disk when write returns nil.
func (s *Store) write(ctx context.Context, do func(session) error) error {
	return s.transact(ctx, s.writer, nil, do)
}

// read runs do on one unchanging view of the database.
func (s *Store) read(ctx context.Context, do func(session) error) error {
	return s.transact(ctx, s.reader, &dbsql.TxOptions{ReadOnly: true}, do)
}

func (s *Store) transact(ctx context.Context, db *dbsql.DB, opts *dbsql.TxOptions, do func(session) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return classify(err, s.dialect)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(session{tx: tx, dialect: s.dialect}); err != nil {
		return classify(err, s.dialect)
	}
	return classify(tx.Commit(), s.dialect)
}

// classify marks errors of the engine; what is marked already keeps its kind.
func classify(err error, d dialect) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	if kind := d.kindOf(err); kind != fault.Internal {
		return fault.Mark(kind, err)
	}
	return err
}
