package sql

import (
	"cmp"
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
)

// Config says which database to open.
type Config struct {
	Type         string           // "sqlite", "mysql" (MariaDB too), "pgx", "postgres" or "postgresql"
	Path         string           // SQLite: the file, or ":memory:"; others: the socket, used when there is no host
	User         string           // of a server
	Password     string           // of a server
	Name         string           // of the database on a server
	Host         string           // of a server
	Port         int              // of a server; 0: the usual one
	TLS          TLS              // of a connection to a server
	WAL          *bool            // write-ahead log of SQLite; nil: unless the file is on a network
	MaxOpenConns int              // connections at the same time; 0: 100
	Now          func() time.Time // nil: time.Now
}

// TLS says how a connection to a server is secured. Paths are of PEM files; "" is none.
type TLS struct {
	Mode       string // in the engine's own words; "" is the driver's default
	CACert     string // of an authority beside those of the system
	ClientCert string // used when ClientKey is given too
	ClientKey  string
}

// Store implements the interfaces of package store. It is safe for concurrent use.
type Store struct {
	writer *dbsql.DB
	reader *dbsql.DB // the writer, where one pool does both
	engine *engine
	now    func() time.Time
	// Calls that come often share transactions.
	additions group[*addition]
	updates   group[*update]
	// recent is what this process has added to the change log last.
	recent tail
	// settled is a number up to which the change log is known to be on disk.
	settled atomic.Int64
}

const defaultMaxOpenConns = 100

// Open opens the database, creates its tables, and migrates it. The caller closes the store. The error says which
// database, without its password; its kind is Invalid for a configuration that cannot work, Unavailable when the
// server cannot be reached.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	cfg.MaxOpenConns = cmp.Or(cfg.MaxOpenConns, defaultMaxOpenConns)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	open, err := cfg.opener()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", cfg.place(), err)
	}
	return s, nil
}

type opener func(context.Context, Config, *slog.Logger) (*Store, error)

// opener refuses a configuration that says too little.
func (c Config) opener() (opener, error) {
	switch c.Type {
	case "sqlite":
		if c.Path == "" {
			return nil, fault.Errorf(fault.Invalid, "no path is given for the sqlite database")
		}
		return openSQLite, nil
	case "mysql":
		return openMariaDB, c.checkServer()
	case "pgx", "postgres", "postgresql":
		return openPostgreSQL, c.checkServer()
	}
	return nil, fault.Errorf(fault.Invalid, "unknown database type '%s'", c.Type) // published text
}

func (c Config) checkServer() error {
	if c.Host == "" && c.Path == "" {
		return fault.Errorf(fault.Invalid, "neither a host nor a socket (db_path) is given for the %s database", c.Type)
	}
	if c.Name == "" {
		return fault.Errorf(fault.Invalid, "no db_name is given for the %s database", c.Type)
	}
	return nil
}

// newStore uses one pool for both when they are the same.
func newStore(engine *engine, writer, reader *dbsql.DB, now func() time.Time) *Store {
	s := &Store{writer: writer, reader: reader, engine: engine, now: now}
	s.additions = group[*addition]{run: s.addTogether, separate: isFaultOfOne, limit: callsPerTransaction}
	s.updates = group[*update]{run: s.updateTogether, separate: isFaultOfOne, limit: callsPerTransaction}
	return s
}

const callsPerTransaction = 64

// isFaultOfOne says that a call may succeed where its neighbour failed.
func isFaultOfOne(err error) bool { return !fault.Is(err, fault.Unavailable) }

// place names the database to people.
func (c Config) place() string {
	switch {
	case c.Type == "sqlite":
		return c.Path
	case c.Host == "":
		return c.Name + " at socket " + c.Path
	}
	return fmt.Sprintf("%s at %s:%d", c.Name, c.Host, c.Port)
}

// Close ends all connections; calls in progress fail.
func (s *Store) Close() error {
	defer s.additions.wait()
	defer s.updates.wait()
	if s.engine.lock != "" {
		_ = s.writer.Close() // of a server: that it could not be told has no consequence
		return nil
	}
	if s.reader == s.writer {
		return s.writer.Close()
	}
	// The last connection to SQLite that closes folds the write-ahead log into the file, so it has to be one that may write.
	return errors.Join(s.reader.Close(), s.writer.Close())
}

const (
	maxAttempts = 12
	firstPause  = 2 * time.Millisecond // doubles up to maxPause
	maxPause    = 200 * time.Millisecond
)

// write runs do in one transaction, which is on disk when write returns nil. Where transactions run side by side,
// one that lost against another is repeated, so do must not leave anything behind that a repetition does not undo.
func (s *Store) write(ctx context.Context, do func(session) error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := s.transact(ctx, s.writer, s.engine.writing, do)
		if err == nil || attempt == maxAttempts || !reasonOf(s.engine, err).again {
			return classify(s.engine, err)
		}
		if wait(ctx, pause/2+rand.N(pause)) != nil { //nolint:gosec // G404: keeps those who collided apart
			return classify(s.engine, err)
		}
		pause = min(2*pause, maxPause)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// read runs do on one unchanging view of the database.
func (s *Store) read(ctx context.Context, do func(session) error) error {
	return classify(s.engine, s.transact(ctx, s.reader, s.engine.reading, do))
}

// ask runs do, which reads with a single statement.
func (s *Store) ask(do func(session) error) error {
	return classify(s.engine, do(session{db: s.reader, engine: s.engine}))
}

func (s *Store) transact(ctx context.Context, db *dbsql.DB, opts *dbsql.TxOptions, do func(session) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	var logged int64
	if err := do(session{db: tx, engine: s.engine, logged: &logged}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.noteSettled(logged)
	return nil
}

// clock is the time of the database, which is the same for all who share it.
func (s *Store) clock(ctx context.Context, tx session) (now time.Time, err error) {
	if s.engine.clock == "" {
		return s.now(), nil
	}
	err = tx.one(ctx, []any{instant{&now}}, s.engine.clock)
	return now, err
}
