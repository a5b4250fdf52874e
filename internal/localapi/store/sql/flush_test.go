package sql_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/storetest"
)

// left returns the UUIDs of the alerts that are left.
func left(t *testing.T, s *sql.Store) []string {
	t.Helper()
	found, err := s.Alerts(t.Context(), store.AlertFilter{OldestFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	var uuids []string
	for _, alert := range found {
		uuids = append(uuids, alert.UUID)
	}
	return uuids
}

func TestFlush(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		policy sql.FlushPolicy
		at     time.Duration
		want   []string
	}{
		"no policy":                   {sql.FlushPolicy{}, 24 * time.Hour, []string{"0", "1", "2", "3", "4", "5"}},
		"age, the edge":               {sql.FlushPolicy{MaxAge: time.Hour}, 62 * time.Minute, []string{"1", "3", "4", "5"}},
		"age, when all has ended":     {sql.FlushPolicy{MaxAge: time.Hour}, 200 * time.Minute, nil},
		"items":                       {sql.FlushPolicy{MaxItems: 2}, 10 * time.Minute, []string{"1", "3", "4", "5"}},
		"items, when all has ended":   {sql.FlushPolicy{MaxItems: 2}, 200 * time.Minute, []string{"3", "4", "5"}},
		"more items than there are":   {sql.FlushPolicy{MaxItems: 100}, 200 * time.Minute, []string{"0", "1", "2", "3", "4", "5"}},
		"age and items":               {sql.FlushPolicy{MaxItems: 1, MaxAge: time.Hour}, 62 * time.Minute, []string{"1", "4", "5"}},
		"items but decisions last on": {sql.FlushPolicy{MaxItems: 1}, 0, []string{"0", "1", "4", "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := start
			path := newPath(t)
			s := open(t, sql.Config{Path: path, Now: func() time.Time { return now }})
			for i := range 6 { // created a minute apart; 0 and 1 have decisions, which end after 1 minute and 2 hours
				alert := domain.Alert{UUID: strconv.Itoa(i), Events: make([]domain.AlertEvent, 2), Meta: make([]domain.KeyValue, 2)}
				if i < 2 {
					alert.Decisions = []domain.Decision{{Scope: "s", Value: "v", Until: start.Add(time.Minute + time.Duration(i)*2*time.Hour)}}
				}
				if _, err := s.AddAlerts(t.Context(), []domain.Alert{alert}); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Minute)
			}
			count, err := s.Flush(t.Context(), row.policy, start.Add(row.at))
			if err != nil {
				t.Fatal(err)
			}
			if got := left(t, s); !slices.Equal(got, row.want) || count != 6-len(row.want) {
				t.Errorf("%d alerts went, left %v, want %v", count, got, row.want)
			}
			for _, table := range []string{"events", "meta"} {
				if got := query[int](t, path, "SELECT COUNT(*) FROM "+table); got[0] != 2*len(row.want) {
					t.Errorf("%d rows left in %s", got[0], table)
				}
			}
		})
	}
}

func TestFlushManyBatches(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	now := time.Now()
	s := open(t, sql.Config{Path: path})
	if _, err := s.AddAlerts(t.Context(), someAlerts(600, 1)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {2 * time.Hour, 600}, {2 * time.Hour, 0}} {
		count, err := s.Flush(t.Context(), sql.FlushPolicy{MaxAge: time.Minute}, now.Add(row.at))
		if err != nil || count != row.want {
			t.Errorf("after %s: %d alerts went, %v; want %d", row.at, count, err, row.want)
		}
	}
	for _, table := range []string{"alerts", "decisions", "events", "meta"} {
		if got := query[int](t, path, "SELECT COUNT(*) FROM "+table); got[0] != 0 {
			t.Errorf("%d rows left in %s", got[0], table)
		}
	}
	if got := query[int](t, path, "SELECT seq FROM decision_changes"); !slices.Equal(got, []int{600}) {
		t.Errorf("changes %v left, want the last one", got)
	}
}

func TestFlushOrphans(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := open(t, sql.Config{Path: path})
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
	if _, err := s.Flush(t.Context(), sql.FlushPolicy{}, now); err != nil {
		t.Fatal(err)
	}
	if got := query[string](t, path, "SELECT value FROM decisions"); !slices.Equal(got, []string{"active"}) {
		t.Errorf("decisions %v left", got)
	}
	if got := query[int](t, path, "SELECT COUNT(*) FROM events"); got[0] != 0 {
		t.Errorf("%d events left", got[0])
	}
}

// flushing flushes before anybody reads the log, so that followers never see what a flush removes.
type flushing struct {
	*sql.Store

	now func() time.Time
}

func (f flushing) ChangesSince(ctx context.Context, seq int64, limit int) ([]store.Change, error) {
	if _, err := f.Flush(ctx, sql.FlushPolicy{}, f.now()); err != nil {
		return nil, err
	}
	return f.Store.ChangesSince(ctx, seq, limit)
}

func TestFollowersDoNotMissWhatIsFlushed(t *testing.T) {
	t.Parallel()
	storetest.RunFollowers(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Helper()
		return flushing{Store: open(t, sql.Config{Path: ":memory:", Now: now}), now: now}
	})
}
