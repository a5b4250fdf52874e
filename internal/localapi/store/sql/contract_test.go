package sql_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Helper()
		return open(t, sql.Config{Path: newPath(t), Now: now})
	})
}

func newPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "crowdsec.db")
}

// open opens a store for the length of the test.
func open(tb testing.TB, cfg sql.Config) *sql.Store {
	tb.Helper()
	cfg.Type = "sqlite"
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
