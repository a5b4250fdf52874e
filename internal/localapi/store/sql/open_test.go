package sql_test

import (
	"context"
	dbsql "database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

func TestOpenErrorsNameThePath(t *testing.T) {
	t.Parallel()
	notDatabase := newPath(t)
	if err := os.WriteFile(notDatabase, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"missing directory": filepath.Join(t.TempDir(), "missing", "crowdsec.db"),
		"a directory":       t.TempDir(),
		"not a database":    notDatabase,
	} {
		_, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: path}, discard())
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestOpenRefusesConfiguration(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]sql.Config{
		"unknown database type 'oracle'":           {Type: "oracle", Path: newPath(t)},
		"no path is given for the sqlite database": {Type: "sqlite"},
	} {
		_, err := sql.Open(t.Context(), cfg, discard())
		if !fault.Is(err, fault.Invalid) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	checkMode := func() {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	open(t, sql.Config{Path: path})
	checkMode()
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	open(t, sql.Config{Path: path})
	checkMode()
}

func TestJournalMode(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for i, row := range []struct {
		wal  *bool
		want string
	}{{nil, "wal"}, {new(false), "delete"}, {new(true), "wal"}} {
		cfg := sql.Config{Type: "sqlite", Path: path, WAL: row.wal}
		s, err := sql.Open(t.Context(), cfg, discard())
		if err != nil {
			t.Fatal(err)
		}
		addAlert(t, s, strconv.Itoa(i))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := query[string](t, path, "PRAGMA journal_mode"); got[0] != row.want {
			t.Errorf("journal mode %s, want %s", got, row.want)
		}
	}
	open(t, sql.Config{Path: path})
	addAlert(t, open(t, sql.Config{Path: path, WAL: new(false)}), "while the file is in use")
	s := open(t, sql.Config{Path: path})
	if found, err := s.Alerts(t.Context(), store.AlertFilter{}); err != nil || len(found) != 4 {
		t.Errorf("%d alerts, %v", len(found), err)
	}
}

func TestPathWithSpecialCharacters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "50% of #1? é.db")
	open(t, sql.Config{Path: path})
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	a, b := open(t, sql.Config{Path: ":memory:"}), open(t, sql.Config{Path: ":memory:"})
	var adding errgroup.Group
	for range 10 {
		adding.Go(func() error {
			_, err := a.AddAlerts(t.Context(), []domain.Alert{{Scenario: "s"}})
			return err
		})
	}
	if err := adding.Wait(); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[int]*sql.Store{10: a, 0: b} {
		if found, err := s.Alerts(t.Context(), store.AlertFilter{}); err != nil || len(found) != want {
			t.Errorf("%d alerts, %v; want %d", len(found), err, want)
		}
	}
}

func TestOpenAtTheSameTime(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	var opening errgroup.Group
	for range 8 {
		opening.Go(func() error {
			s, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: path}, discard())
			if err != nil {
				return err
			}
			_, err = s.AddAlerts(t.Context(), []domain.Alert{{Scenario: "s"}})
			return errors.Join(err, s.Close())
		})
	}
	if err := opening.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := query[int](t, path, "SELECT COUNT(*) FROM alerts"); got[0] != 8 {
		t.Errorf("%d alerts", got[0])
	}
}

// The same secret must come out of every process, also when the first ones ask at the same time.
func TestSecretIsMadeOnce(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, fresh func(testing.TB) sql.Config) {
		t.Helper()
		cfg := fresh(t)
		stores := []*sql.Store{openAny(t, cfg), openAny(t, cfg)}
		made := make(chan []byte, 20)
		var asking errgroup.Group
		for i := range cap(made) {
			asking.Go(func() error {
				secret, err := stores[i%2].Secret(t.Context(), "key", func() ([]byte, error) { return []byte{byte(i), 0xff, 0}, nil })
				made <- secret
				return err
			})
		}
		if err := asking.Wait(); err != nil {
			t.Fatal(err)
		}
		first := <-made
		for range cap(made) - 1 {
			if got := <-made; !reflect.DeepEqual(got, first) {
				t.Errorf("got %v and %v", first, got)
			}
		}
		other, err := stores[0].Secret(t.Context(), "other", func() ([]byte, error) { return []byte("x"), nil })
		if err != nil || string(other) != "x" {
			t.Errorf("got %q, %v", other, err)
		}
	})
}

func TestSecretErrors(t *testing.T) {
	t.Parallel()
	s := open(t, sql.Config{Path: newPath(t)})
	broken := errors.New("no randomness")
	if _, err := s.Secret(t.Context(), "key", func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	got, err := s.Secret(t.Context(), "key", func() ([]byte, error) { return []byte("second"), nil })
	if err != nil || string(got) != "second" {
		t.Errorf("got %q, %v after a failure", got, err)
	}
}

func TestWaitForTheLockEndsWithTheContext(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, sql.Config{Path: path})
	other := raw(t, path)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.AddAlerts(ctx, []domain.Alert{{Scenario: "s"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Alerts(t.Context(), store.AlertFilter{}); err != nil {
		t.Errorf("reading while another process writes: %v", err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	addAlert(t, s, "after")
}

func TestFailedRequestStoresNothing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, sql.Config{Path: path})
	other := raw(t, path)
	_, err := other.ExecContext(t.Context(), `CREATE TRIGGER refuse BEFORE INSERT ON alerts WHEN new.scenario = 'refused'
		BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.AddAlerts(t.Context(), []domain.Alert{{Scenario: "s"}, {Scenario: "refused"}})
	if err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("refused by a trigger: got %v, kind %v", err, fault.KindOf(err))
	}
	if found, err := s.Alerts(t.Context(), store.AlertFilter{}); err != nil || len(found) != 0 {
		t.Errorf("%d alerts of a transaction that failed, %v", len(found), err)
	}
}

func addAlert(t *testing.T, s *sql.Store, uuid string) {
	t.Helper()
	if _, err := s.AddAlerts(t.Context(), []domain.Alert{{UUID: uuid, Scenario: "s"}}); err != nil {
		t.Fatal(err)
	}
}

// raw opens the file beside the store, with a single connection.
func raw(t *testing.T, path string) *dbsql.DB {
	t.Helper()
	db, err := dbsql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// query returns the first column of the result.
func query[T any](t *testing.T, path, text string, args ...any) []T {
	t.Helper()
	db, err := dbsql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		var one T
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
