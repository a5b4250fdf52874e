package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT 1": "SELECT 1",
		"UPDATE t SET a = ?, b = ? WHERE c IN (?, ?)": "UPDATE t SET a = $1, b = $2 WHERE c IN ($3, $4)",
		"VALUES ($1, $1, ?, ?), ($1, $1, ?, ?)":       "VALUES ($1, $1, $2, $3), ($1, $1, $4, $5)",
	} {
		if got := postgresqlEngine().parameters(query); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := mariadbEngine().parameters(query); got != query {
			t.Errorf("got %s, want %s", got, query)
		}
	}
}

func TestInsertion(t *testing.T) {
	t.Parallel()
	stamped := insertion{table: "t", columns: []string{"a", "b"}, stamp: "now"}
	plain := insertion{table: "t", columns: []string{"a"}}
	for want, got := range map[string]string{
		"INSERT INTO t (created_at, updated_at, a, b) VALUES (?1, ?1, ?, ?), (?1, ?1, ?, ?)": stamped.statement(sqliteEngine(), 2),
		"INSERT INTO t (created_at, updated_at, a, b) VALUES ($1, $1, ?, ?)":                 stamped.statement(postgresqlEngine(), 1),
		"INSERT INTO t (created_at, updated_at, a, b) VALUES (?, ?, ?, ?)":                   stamped.statement(mariadbEngine(), 1),
		"INSERT INTO t (a) VALUES (?), (?)":                                                  plain.statement(sqliteEngine(), 2),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	want := []any{"now", "now", 1, 2, "now", "now", 3, 4}
	if got := stamped.stampEach([]any{1, 2, 3, 4}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFitKeepsWhatFits(t *testing.T) {
	t.Parallel()
	e := mariadbEngine()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.IntRange(250, 260), func(n int) string { return strings.Repeat("é", n) }),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		got := e.fit(text)
		switch {
		case !utf8.ValidString(got), utf8.RuneCountInString(got) > 255:
			t.Fatalf("%q became %q", text, got)
		case utf8.ValidString(text) && utf8.RuneCountInString(text) <= 255 && got != text, utf8.ValidString(text) && !strings.HasPrefix(text, got):
			t.Fatalf("%q became %q", text, got)
		}
	})
	if got := postgresqlEngine().fit("a\x00b\xff" + strings.Repeat("c", 300)); got != "a\uFFFDb\uFFFD"+strings.Repeat("c", 300) {
		t.Errorf("got %q", got)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	my := func(number uint16) error { return fmt.Errorf("doing: %w", &mysql.MySQLError{Number: number}) }
	pg := func(state string) error { return fmt.Errorf("doing: %w", &pgconn.PgError{Code: state}) }
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, row := range map[string]struct {
		engine *engine
		err    error
		want   reason
	}{
		"duplicate, MariaDB":            {mariadbEngine(), my(1062), reason{kind: fault.Exists}},
		"deadlock, MariaDB":             {mariadbEngine(), my(1213), reason{fault.Unavailable, true}},
		"lock wait, MariaDB":            {mariadbEngine(), my(1205), reason{fault.Unavailable, true}},
		"too many connections, MariaDB": {mariadbEngine(), my(1040), reason{kind: fault.Unavailable}},
		"too long, MariaDB":             {mariadbEngine(), my(1406), reason{kind: fault.Invalid}},
		"syntax, MariaDB":               {mariadbEngine(), my(1064), reason{}},
		"gone, MariaDB":                 {mariadbEngine(), mysql.ErrInvalidConn, reason{kind: fault.Unavailable}},
		"duplicate, PostgreSQL":         {postgresqlEngine(), pg("23505"), reason{kind: fault.Exists}},
		"deadlock, PostgreSQL":          {postgresqlEngine(), pg("40P01"), reason{fault.Unavailable, true}},
		"serialization, PostgreSQL":     {postgresqlEngine(), pg("40001"), reason{fault.Unavailable, true}},
		"too many, PostgreSQL":          {postgresqlEngine(), pg("53300"), reason{kind: fault.Unavailable}},
		"shutdown, PostgreSQL":          {postgresqlEngine(), pg("57P01"), reason{kind: fault.Unavailable}},
		"standby, PostgreSQL":           {postgresqlEngine(), pg("25006"), reason{kind: fault.Unavailable}},
		"bad text, PostgreSQL":          {postgresqlEngine(), pg("22021"), reason{kind: fault.Invalid}},
		"syntax, PostgreSQL":            {postgresqlEngine(), pg("42601"), reason{}},
		"no state, PostgreSQL":          {postgresqlEngine(), pg(""), reason{}},
		"refused":                       {mariadbEngine(), refused, reason{kind: fault.Unavailable}},
		"bad connection":                {postgresqlEngine(), driver.ErrBadConn, reason{kind: fault.Unavailable}},
		"cut off":                       {mariadbEngine(), io.ErrUnexpectedEOF, reason{kind: fault.Unavailable}},
		"lost to another":               {postgresqlEngine(), fmt.Errorf("storing: %w", conflictError{pg("23505")}), reason{fault.Unavailable, true}},
		"cancelled":                     {postgresqlEngine(), context.Canceled, reason{}},
		"something else":                {sqliteEngine(), errors.New("x"), reason{}},
	} {
		if got := reasonOf(row.engine, row.err); got != row.want {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
	marked := fault.Errorf(fault.NotFound, "no such row")
	if got := fault.KindOf(classify(mariadbEngine(), marked)); got != fault.NotFound {
		t.Errorf("what has a kind became %s", got)
	}
}

// Whatever names and passwords look like, the driver gets them as they are.
func TestPostgreSQLWords(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z '\\"=é$#]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Host: "db.example", Port: rapid.IntRange(0, 65535).Draw(t, "port"), User: word.Draw(t, "user"), Password: word.Draw(t, "password"),
			Name: word.Draw(t, "name"), TLS: TLS{Mode: "disable"},
		}
		got, err := pgx.ParseConfig(postgresqlDSN(cfg))
		if err != nil {
			t.Fatal(err)
		}
		port := cfg.Port
		if port == 0 {
			port = 5432
		}
		if got.Host != cfg.Host || int(got.Port) != port || got.User != cfg.User || got.Password != cfg.Password || got.Database != cfg.Name {
			t.Fatalf("%+v became %+v", cfg, got.Config)
		}
	})
}

func TestSocketOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/run/postgresql":               "/run/postgresql 5432",
		"/run/postgresql/.s.PGSQL.5433": "/run/postgresql 5433",
		"/run/.s.PGSQL.x":               "/run/.s.PGSQL.x 5432",
	} {
		directory, port := socketOf(filepath.FromSlash(path), 5432)
		if got := fmt.Sprint(directory, " ", port); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestMariaDBTimes(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	for want, at := range map[string]time.Time{
		"2026-11-22 00:02:03.456789": time.Date(2026, 11, 22, 1, 2, 3, 456_789_999, zone),
		"0001-01-01 00:00:00.000000": {},
		"9999-12-31 23:59:59.000000": time.Date(12_000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got := bindMariaDBTime(at); got != want {
			t.Errorf("%s: got %v, want %s", at, got, want)
		}
	}
}
