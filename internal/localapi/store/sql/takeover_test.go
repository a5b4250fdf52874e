package sql_test

import (
	dbsql "database/sql"
	"embed"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

//go:embed migrations/sqlite/00001_published_schema.sql testdata
var files embed.FS

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// schema describes every table, a line each: its columns with their types, "!" for those that may not be NULL,
// and its indexes, "+" for unique ones.
const schema = `SELECT rtrim(t.name || ': ' || (SELECT group_concat(c.name || ' ' || lower(c.type) || iif(c."notnull", '!', '')
		|| coalesce(' = ' || c.dflt_value, ''), ', ') FROM pragma_table_info(t.name) AS c)
	|| '; ' || coalesce((SELECT group_concat(i.name || iif(i."unique", '+', ''), ', ')
		FROM (SELECT * FROM pragma_index_list(t.name) ORDER BY name) AS i), '')
	|| '; ' || coalesce((SELECT group_concat(k."from" || ' > ' || k."table" || ' ' || k.on_delete, ', ')
		FROM pragma_foreign_key_list(t.name) AS k), ''), '; ')
	FROM sqlite_schema AS t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'goose_%' ORDER BY t.name`

func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	open(t, sql.Config{Path: path})
	got := query[string](t, path, schema)
	if want := strings.Split(strings.TrimSpace(readFile(t, "testdata/schema.txt")), "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func ourTables() []string {
	return []string{"audit_log", "counters", "decision_changes", "leases", "nodes"}
}

// published returns the lines of the schema without what Shieldwall adds.
func published(lines []string) []string {
	var without []string
	for _, line := range lines {
		if table, _, _ := strings.Cut(line, ":"); !slices.Contains(ourTables(), table) {
			without = append(without, strings.NewReplacer(", stream_cursor integer! = 0", "", ", shieldwall_standing text", "").Replace(line))
		}
	}
	return without
}

// oldDatabase makes a database the way the replaced system left it, with one row or more in each table.
func oldDatabase(t *testing.T) string {
	t.Helper()
	path := newPath(t)
	_, ddl, _ := strings.Cut(readFile(t, "migrations/sqlite/00001_published_schema.sql"), "-- +goose Up")
	for _, statements := range []string{
		strings.ReplaceAll(ddl, "IF NOT EXISTS ", ""), readFile(t, "testdata/rows.sql"),
	} {
		if _, err := raw(t, path).ExecContext(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	path := oldDatabase(t)
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	checkTakeover(t, path, now)

	s := open(t, sql.Config{Path: path, Now: func() time.Time { return now }})
	snapshot, err := s.Snapshot(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	var active []string
	for _, d := range snapshot.Decisions {
		active = append(active, d.Value)
	}
	want := []string{"192.0.2.10", "192.0.2.64/26", "ZZ", "2001:db8::7", "203.0.113.1", "203.0.113.3", "203.0.113.5"}
	if !slices.Equal(active, want) {
		t.Errorf("active %v, want %v", active, want)
	}
}

func TestTakeoverReadsOldRows(t *testing.T) {
	t.Parallel()
	s := open(t, sql.Config{Path: oldDatabase(t)})
	machine, err := s.Machine(t.Context(), "host-3")
	at := time.Date(2026, 11, 21, 20, 24, 49, 527_297_000, time.UTC)
	if want := (domain.Machine{
		ID: "host-3", PasswordHash: "$2a$10$c", IPAddress: "127.0.0.1", AuthType: domain.AuthPassword,
		CreatedAt: at, UpdatedAt: at, LastPush: at,
	}); err != nil || !reflect.DeepEqual(machine, want) {
		t.Errorf("machine %+v, %v", machine, err)
	}
	bouncers, err := s.Bouncers(t.Context(), store.BouncerFilter{Name: "firewall-2"})
	if want := (domain.Bouncer{
		ID: 2, Name: "firewall-2", KeyHash: "26f6", AuthType: domain.AuthAPIKey, CreatedAt: at, UpdatedAt: at,
	}); err != nil || !reflect.DeepEqual(bouncers, []domain.Bouncer{want}) {
		t.Errorf("bouncers %+v, %v", bouncers, err)
	}
	alert, err := s.Alert(t.Context(), 1)
	if want := (domain.Alert{
		ID: 1, UUID: "a-1", MachineID: "host-1", Kind: "crowdsec", Scenario: "crowdsecurity/ssh-bf", Message: "m", EventsCount: 6,
		Capacity: 5, Leakspeed: "10s", StartAt: time.Date(2026, 3, 2, 6, 0, 1, 0, time.UTC), StopAt: time.Date(2026, 3, 2, 6, 0, 6, 0, time.UTC),
		CreatedAt: time.Date(2026, 11, 21, 20, 24, 52, 578_914_125, time.UTC), Remediation: true,
		Source: domain.Source{Scope: "Ip", Value: "192.0.2.10", IP: "192.0.2.10", Latitude: 48.5},
		Events: []domain.AlertEvent{{Time: time.Date(2026, 3, 2, 6, 0, 1, 0, time.UTC), Meta: []domain.KeyValue{{Key: "source_ip", Value: "192.0.2.10"}}}},
		Meta:   []domain.KeyValue{{Key: "target_user", Value: `["root"]`}},
		Decisions: []domain.Decision{{
			ID: 1, AlertID: 1, UUID: "d-1", Origin: "crowdsec", Type: "ban", Scenario: "crowdsecurity/ssh-bf", Scope: "Ip",
			Value: "192.0.2.10", Until: time.Date(2036, 11, 18, 20, 24, 54, 0, time.UTC),
			CreatedAt: time.Date(2026, 11, 21, 20, 24, 52, 578_000_000, time.UTC),
		}},
	}); err != nil || !reflect.DeepEqual(alert, want) {
		t.Errorf("alert %+v, %v", alert, err)
	}
	if ids, err := s.AddAlerts(t.Context(), []domain.Alert{{UUID: "a-1"}}); err != nil || !slices.Equal(ids, []int64{1}) {
		t.Errorf("a stored UUID: %v, %v", ids, err)
	}
}

// checkTakeover opens the old database and compares what is there before and after.
func checkTakeover(t *testing.T, path string, now time.Time) {
	t.Helper()
	before := query[string](t, path, schema)
	if len(before) == 0 {
		t.Fatalf("%s has no tables", path)
	}
	counts := countRows(t, path)
	want := activeIDs(t, path, now)
	for range 2 { // the second time there is nothing left to do
		s, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: path, Now: func() time.Time { return now }}, discard())
		if err != nil {
			t.Fatal(err)
		}
		checkAdopted(t, s, now, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := published(query[string](t, path, schema)); !slices.Equal(got, before) {
			t.Errorf("the schema was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(got, "\n"))
		}
		if got := countRows(t, path); !reflect.DeepEqual(got, counts) {
			t.Errorf("rows were %v, are %v", counts, got)
		}
	}
}

// checkAdopted compares what the store shows with the rows that are active.
func checkAdopted(t *testing.T, s *sql.Store, now time.Time, want []int64) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := s.ChangesSince(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	var active, logged []int64
	for _, d := range snapshot.Decisions {
		active = append(active, d.ID)
	}
	for _, change := range changes {
		logged = append(logged, change.Decision.ID)
	}
	if !slices.Equal(active, want) || !slices.Equal(logged, want) || snapshot.Seq != int64(len(want)) {
		t.Errorf("active %v, in the log %v, last change %d; want %v", active, logged, snapshot.Seq, want)
	}
	alerts, err := s.Alerts(t.Context(), store.AlertFilter{})
	if err != nil || len(alerts) == 0 {
		t.Errorf("%d alerts, %v", len(alerts), err)
	}
	if !slices.IsSortedFunc(alerts, func(a, b domain.Alert) int { return b.CreatedAt.Compare(a.CreatedAt) }) {
		t.Error("alerts are not sorted")
	}
	machines, err := s.Machines(t.Context())
	if err != nil || len(machines) == 0 {
		t.Errorf("%d machines, %v", len(machines), err)
	}
	if bouncers, err := s.Bouncers(t.Context(), store.BouncerFilter{}); err != nil || len(bouncers) == 0 {
		t.Errorf("%d bouncers, %v", len(bouncers), err)
	}
}

func countRows(t *testing.T, path string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, line := range published(query[string](t, path, schema)) {
		table, _, _ := strings.Cut(line, ":")
		counts[table] = query[int](t, path, "SELECT COUNT(*) FROM "+table)[0]
	}
	return counts
}

// activeIDs compares times, not their text.
func activeIDs(t *testing.T, path string, now time.Time) []int64 {
	t.Helper()
	var active []int64
	ids := query[int64](t, path, "SELECT id FROM decisions ORDER BY id")
	for i, until := range query[dbsql.NullTime](t, path, "SELECT until FROM decisions ORDER BY id") {
		if until.Valid && until.Time.After(now) {
			active = append(active, ids[i])
		}
	}
	return active
}

func TestTakeoverNormalizesTimes(t *testing.T) {
	t.Parallel()
	path := oldDatabase(t)
	open(t, sql.Config{Path: path})
	got := query[dbsql.NullString](t, path, "SELECT CAST(until AS text) FROM decisions WHERE alert_decisions = 5 ORDER BY id")
	want := []string{
		"2027-11-21 20:24:54+00:00", "2026-11-21 23:30:00+00:00", "2026-11-22 00:30:00.5+00:00", "2026-11-21 21:00:00.12+00:00",
		"2027-01-01 00:00:00+00:00", "",
	}
	var texts []string
	for _, text := range got {
		texts = append(texts, text.String)
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
}

func TestTakeoverNamesAnUnreadableTime(t *testing.T) {
	t.Parallel()
	path := oldDatabase(t)
	if _, err := raw(t, path).ExecContext(t.Context(), "UPDATE decisions SET until = 'soon' WHERE id = 3"); err != nil {
		t.Fatal(err)
	}
	_, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: path}, discard())
	if err == nil {
		t.Fatal("opened")
	}
	for _, part := range []string{path, "table decisions", "column until", "row 3", "'soon'"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
}
