package sql

import (
	"cmp"
	"context"
	dbsql "database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"shieldwall/internal/domain/fault"
)

func postgresqlEngine() *engine {
	return &engine{
		name: "postgresql", migrations: goose.DialectPostgres, numbered: true, stamp: "$1",
		lock:      "SELECT pg_advisory_lock(7883527437128427115)", // a number of no meaning, the same for all of us
		forUpdate: " FOR UPDATE", clock: "SELECT clock_timestamp()",
		reading:  &dbsql.TxOptions{Isolation: dbsql.LevelRepeatableRead, ReadOnly: true},
		writing:  &dbsql.TxOptions{Isolation: dbsql.LevelReadCommitted},
		bindTime: bindPostgreSQLTime, clean: postgresqlText, reasonOf: postgresqlReason,
		adopt: adoptPostgreSQL,
	}
}

const (
	postgresqlPort = 5432
	socketPrefix   = ".s.PGSQL." // of the name of a socket, before the port
)

func openPostgreSQL(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	settings, err := pgx.ParseConfig(postgresqlDSN(cfg))
	if err != nil {
		return nil, fault.Mark(fault.Invalid, err)
	}
	return openServer(ctx, cfg, postgresqlEngine(), stdlib.GetConnector(*settings), log)
}

// postgresqlDSN says what libpq understands. What is not said here it takes from the environment, as the replaced
// system does.
func postgresqlDSN(cfg Config) string {
	host, port := cfg.Host, cmp.Or(cfg.Port, postgresqlPort)
	if host == "" {
		host, port = socketOf(cfg.Path, port)
	}
	words := []string{
		"host=" + quoteWord(host), "port=" + strconv.Itoa(port), "user=" + quoteWord(cfg.User), "dbname=" + quoteWord(cfg.Name),
		"connect_timeout=" + strconv.Itoa(int(connectTimeout/time.Second)), "application_name=shieldwall",
	}
	for _, word := range [][2]string{
		{"password", cfg.Password}, {"sslmode", cfg.TLS.Mode}, {"sslrootcert", cfg.TLS.CACert},
	} {
		if word[1] != "" {
			words = append(words, word[0]+"="+quoteWord(word[1]))
		}
	}
	if cfg.TLS.ClientCert != "" && cfg.TLS.ClientKey != "" {
		words = append(words, "sslcert="+quoteWord(cfg.TLS.ClientCert), "sslkey="+quoteWord(cfg.TLS.ClientKey))
	}
	return strings.Join(words, " ")
}

// socketOf takes the directory of sockets, or the path of one.
func socketOf(path string, port int) (directory string, itsPort int) {
	if digits, ok := strings.CutPrefix(filepath.Base(path), socketPrefix); ok {
		if number, err := strconv.Atoi(digits); err == nil {
			return filepath.Dir(path), number
		}
	}
	return path, port
}

func quoteWord(word string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(word) + "'"
}

// bindPostgreSQLTime keeps what the column keeps, so that a time compares with itself.
func bindPostgreSQLTime(t time.Time) any { return t.UTC().Truncate(time.Microsecond) }

// postgresqlText also takes out the one character that the engine has no place for.
func postgresqlText(text string) string {
	return strings.ReplaceAll(validUTF8(text), "\x00", "\uFFFD")
}

func postgresqlReason(err error) reason {
	var connecting *pgconn.ConnectError
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return postgresqlStateReason(refused.Code)
	case errors.As(err, &connecting), errors.Is(err, pgconn.ErrConnClosed):
		return reason{kind: fault.Unavailable}
	}
	return reason{}
}

// postgresqlStateReason knows the classes of SQLSTATE, which are its first two characters.
func postgresqlStateReason(state string) reason {
	switch state {
	case "23505": // unique_violation
		return reason{kind: fault.Exists}
	case "40001", "40P01", "55P03", "23503": // serialization_failure, deadlock_detected, lock_not_available; foreign_key_violation: a row went since we saw it
		return reason{kind: fault.Unavailable, again: true}
	case "25006": // read_only_sql_transaction: a standby
		return reason{kind: fault.Unavailable}
	}
	switch state[:min(2, len(state))] {
	case "08", "53", "57", "58", "XX": // connection, resources, operator, system, internal
		return reason{kind: fault.Unavailable}
	case "22": // data
		return reason{kind: fault.Invalid}
	}
	return reason{}
}

func adoptPostgreSQL(ctx context.Context, tx session, now time.Time) error {
	if err := tx.uniqueUUIDs(ctx, tx.hasPostgreSQLIndex); err != nil {
		return err
	}
	return tx.logActive(ctx, now)
}

func (s session) hasPostgreSQLIndex(ctx context.Context, table, index string) (known bool, err error) {
	err = s.one(ctx, []any{&known}, `SELECT EXISTS (SELECT 1 FROM pg_indexes
		WHERE schemaname = current_schema() AND tablename = ? AND indexname = ?)`, table, index)
	return known, err
}
