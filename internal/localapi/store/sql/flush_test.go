package sql_test

import (
	"slices"
	"testing"
	"time"

	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

func TestFlushOrphans(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, sql.Config{Path: path, Now: func() time.Time { return now }})
	const at = "'2030-01-01 00:00:00+00:00', '2030-01-01 00:00:00+00:00'"
	for _, statement := range []string{
		"INSERT INTO events (created_at, updated_at, time, serialized) VALUES (" + at + ", '', '')",
		"INSERT INTO decisions (created_at, updated_at, until, scenario, type, scope, value, origin) VALUES (" +
			at + ", '2029-01-01 00:00:00+00:00', '', '', '', 'expired', '')",
		"INSERT INTO decisions (created_at, updated_at, until, scenario, type, scope, value, origin) VALUES (" +
			at + ", '2031-01-01 00:00:00+00:00', '', '', '', 'active', '')",
		"INSERT INTO decisions (created_at, updated_at, scenario, type, scope, value, origin) VALUES (" +
			at + ", '', '', '', 'endless', '')",
	} {
		if _, err := raw(t, path).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Flush(t.Context(), store.FlushPolicy{}); err != nil {
		t.Fatal(err)
	}
	if got := query[string](t, path, "SELECT value FROM decisions"); !slices.Equal(got, []string{"active"}) {
		t.Errorf("decisions %v left", got)
	}
	if got := query[int](t, path, "SELECT COUNT(*) FROM events"); got[0] != 0 {
		t.Errorf("%d events left", got[0])
	}
}
