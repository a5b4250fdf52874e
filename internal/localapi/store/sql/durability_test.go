package sql

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func openHere(t *testing.T) *Store {
	t.Helper()
	cfg := Config{Type: "sqlite", Path: filepath.Join(t.TempDir(), "crowdsec.db")}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A power cut cannot be made here; that every commit is flushed to the disk can be asked.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1, "busy_timeout": 100_000, "query_only": 0} {
		var got int
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("writer: %s is %d, %v; want %d", pragma, got, err, want)
		}
	}
	if _, err := s.reader.ExecContext(t.Context(), "DELETE FROM alerts"); err == nil {
		t.Error("a reader wrote")
	}
	if got := s.reader.Stats().MaxOpenConnections; got != 100 {
		t.Errorf("%d connections read", got)
	}
}

func TestFullDiskIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	var pages int
	if err := s.writer.QueryRowContext(t.Context(), "PRAGMA max_page_count = 1").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	_, err := s.AddAlerts(t.Context(), []domain.Alert{{Scenario: "s", Message: strings.Repeat("x", 1<<20)}})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, kind %v", err, fault.KindOf(err))
	}
	if found, err := s.Alerts(t.Context(), store.AlertFilter{}); err != nil || len(found) != 0 {
		t.Errorf("%d alerts, %v", len(found), err)
	}
}
