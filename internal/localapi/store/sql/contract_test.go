package sql_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/sql/dbtest"
	"shieldwall/internal/localapi/store/storetest"
)

// servers are shared by all tests of this process, because starting one takes seconds.
var servers dbtest.Servers

// engines make new, empty databases. Their names are those of the folders with their migrations.
func engines() map[string]func(testing.TB) sql.Config {
	return map[string]func(testing.TB) sql.Config{
		"sqlite": func(tb testing.TB) sql.Config {
			tb.Helper()
			return sql.Config{Type: "sqlite", Path: newPath(tb)}
		},
		"mariadb": func(tb testing.TB) sql.Config {
			tb.Helper()
			return configOf(servers.MariaDB(tb).Database(tb))
		},
		"postgresql": func(tb testing.TB) sql.Config {
			tb.Helper()
			return configOf(servers.PostgreSQL(tb).Database(tb))
		},
	}
}

// onEveryEngine runs a test with a way to make new databases.
func onEveryEngine(t *testing.T, test func(t *testing.T, fresh func(testing.TB) sql.Config)) {
	t.Helper()
	for name, fresh := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh)
		})
	}
}

func configOf(d dbtest.Database) sql.Config {
	return sql.Config{Type: d.Type, Path: d.Socket, User: d.User, Name: d.Name, MaxOpenConns: 8}
}

func TestContract(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, fresh func(testing.TB) sql.Config) {
		t.Helper()
		storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
			t.Helper()
			cfg := fresh(t)
			cfg.Now = now
			return openAny(t, cfg)
		})
	})
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, fresh func(testing.TB) sql.Config) {
		t.Helper()
		storetest.RunReplicas(t, func(t *testing.T, now func() time.Time, count int) []storetest.Store {
			t.Helper()
			cfg := fresh(t)
			cfg.Now = now
			stores := make([]storetest.Store, count)
			for i := range stores {
				stores[i] = openAny(t, cfg)
			}
			return stores
		})
	})
}

func newPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "crowdsec.db")
}

// open opens an SQLite store for the length of the test.
func open(tb testing.TB, cfg sql.Config) *sql.Store {
	tb.Helper()
	cfg.Type = "sqlite"
	return openAny(tb, cfg)
}

func openAny(tb testing.TB, cfg sql.Config) *sql.Store {
	tb.Helper()
	s, err := sql.Open(tb.Context(), cfg, discard())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
