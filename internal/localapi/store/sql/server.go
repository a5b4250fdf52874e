package sql

import (
	"context"
	dbsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	connectTimeout = 10 * time.Second
	idleConns      = 8
	idleTime       = 5 * time.Minute
	connLifetime   = time.Hour // so that a name that moves to another server is looked up again
)

// openServer opens a pool of connections to a server, and migrates under a lock that the server holds for us.
func openServer(ctx context.Context, cfg Config, e *engine, connector driver.Connector, log *slog.Logger) (*Store, error) {
	pool := dbsql.OpenDB(connector)
	pool.SetMaxOpenConns(cfg.MaxOpenConns)
	pool.SetMaxIdleConns(min(idleConns, cfg.MaxOpenConns))
	pool.SetConnMaxIdleTime(idleTime)
	pool.SetConnMaxLifetime(connLifetime)
	s := newStore(e, pool, pool, cfg.Now)
	if err := s.migrateLocked(ctx, connector, log); err != nil {
		return nil, errors.Join(classify(e, err), s.Close())
	}
	return s, nil
}

// migrateLocked lets one process of all create and migrate; the others wait. The lock belongs to a connection of its
// own, so it ends with this process whatever happens.
func (s *Store) migrateLocked(ctx context.Context, connector driver.Connector, log *slog.Logger) error {
	single := dbsql.OpenDB(connector)
	defer func() { _ = single.Close() }() // nothing was written
	conn, err := single.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, s.engine.lock); err != nil {
		return fmt.Errorf("waiting for others who migrate: %w", err)
	}
	return s.migrate(ctx, log)
}
