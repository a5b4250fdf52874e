package sql_test

import (
	"crypto/sha512"
	dbsql "database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/sql/dbtest"
)

// peer is a database that the replaced system wrote, loaded, with what is in it.
type peer struct {
	cfg     sql.Config
	db      *dbsql.DB // beside the store
	fresh   *dbsql.DB // a new database of ours
	columns string    // asks for a line for each column and index of the tables
	alerts  int
}

// Times are compared apart: MariaDB's get microseconds.
const (
	mariadbColumns = `SELECT CONCAT_WS(' ', table_name, column_name, 
			REPLACE(REPLACE(REPLACE(column_type, 'datetime(6)', 'time'), 'datetime', 'time'), 'timestamp', 'time'),
			is_nullable, COALESCE(column_default, '-'), COALESCE(character_set_name, ''), COALESCE(collation_name, ''), extra)
		FROM information_schema.columns WHERE table_schema = DATABASE()
		UNION SELECT CONCAT_WS(' ', table_name, 'index', index_name, non_unique, GROUP_CONCAT(column_name ORDER BY seq_in_index))
		FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name, non_unique
		UNION SELECT CONCAT_WS(' ', table_name, 'refers', constraint_name, referenced_table_name, delete_rule)
		FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() ORDER BY 1`

	postgresqlColumns = `SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, is_identity, column_default)
		FROM information_schema.columns WHERE table_schema = 'public'
		UNION SELECT concat_ws(' ', tablename, 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public'
		UNION SELECT concat_ws(' ', conrelid::regclass, 'constraint', conname, pg_get_constraintdef(oid))
		FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1`
)

// givenPeers loads what the folder has, one for each engine; none when no folder is given.
func givenPeers(t *testing.T) map[string]func(*testing.T) peer {
	t.Helper()
	folder := os.Getenv("SHIELDWALL_PEER_DB")
	if folder == "" {
		return nil // TestTakeover does the same to an equivalent database
	}
	onServer := func(file, columns string, alerts int, server func(testing.TB) *dbtest.Server) func(*testing.T) peer {
		return func(t *testing.T) peer {
			t.Helper()
			old, fresh := server(t).Database(t), server(t).Database(t)
			old.Load(t, filepath.Join(folder, file))
			openAny(t, configOf(fresh))
			return peer{cfg: configOf(old), db: beside(t, old), fresh: beside(t, fresh), columns: columns, alerts: alerts}
		}
	}
	return map[string]func(*testing.T) peer{
		"mariadb":    onServer("mariadb.sql", mariadbColumns, 87, servers.MariaDB),
		"postgresql": onServer("postgresql.sql", postgresqlColumns, 88, servers.PostgreSQL),
		"sqlite": func(t *testing.T) peer {
			t.Helper()
			content, err := os.ReadFile(filepath.Join(folder, "sqlite.db"))
			if err != nil {
				t.Fatal(err)
			}
			path, fresh := newPath(t), newPath(t)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			open(t, sql.Config{Path: fresh})
			return peer{cfg: sql.Config{Type: "sqlite", Path: path}, db: raw(t, path), fresh: raw(t, fresh), columns: schema, alerts: 87}
		},
	}
}

// beside opens a database without our code.
func beside(t *testing.T, d dbtest.Database) *dbsql.DB {
	t.Helper()
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// besideConfig is beside for a server.
func besideConfig(t *testing.T, cfg sql.Config) *dbsql.DB {
	t.Helper()
	return beside(t, dbtest.Database{Type: cfg.Type, Socket: cfg.Path, User: cfg.User, Name: cfg.Name})
}

// list returns the first column of the result.
func list[T any](t *testing.T, db *dbsql.DB, text string) []T {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
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

func TestTakeoverOfGivenDatabases(t *testing.T) {
	t.Parallel()
	for name, load := range givenPeers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := load(t)
			columns, rows := p.describe(t, p.db), p.rows(t)
			if ours := publishedOnly(p.describe(t, p.fresh)); !slices.Equal(ours, columns) {
				t.Errorf("a new database differs from the given one in\n%s", strings.Join(differences(ours, columns), "\n"))
			}
			for range 2 { // the second time there is nothing left to do
				s := openAny(t, p.cfg)
				p.checkAccess(t, s)
				p.checkDecisions(t, s)
				if got := publishedOnly(p.describe(t, p.db)); !slices.Equal(got, columns) {
					t.Errorf("the schema changed:\n%s", strings.Join(differences(got, columns), "\n"))
				}
				if got := p.rows(t); !reflect.DeepEqual(got, rows) {
					t.Errorf("rows were %v, are %v", rows, got)
				}
			}
			p.checkUse(t, openAny(t, p.cfg))
		})
	}
}

func (p peer) describe(t *testing.T, db *dbsql.DB) []string {
	t.Helper()
	lines := list[string](t, db, p.columns)
	slices.Sort(lines)
	return lines
}

// publishedOnly leaves out what we add.
func publishedOnly(lines []string) []string {
	var without []string
	for _, line := range published(lines) {
		table, rest, _ := strings.Cut(line, " ")
		ours := strings.HasPrefix(table, "goose_") || slices.Contains(ourTables(), strings.TrimSuffix(table, ":")) ||
			strings.HasPrefix(rest, "stream_cursor ") || strings.Contains(rest, "shieldwall_")
		if !ours {
			without = append(without, line)
		}
	}
	return without
}

func differences(got, want []string) []string {
	var lines []string
	for _, line := range got {
		if !slices.Contains(want, line) {
			lines = append(lines, "+ "+line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			lines = append(lines, "- "+line)
		}
	}
	return lines
}

func (p peer) rows(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range []string{
		"machines", "bouncers", "alerts", "decisions", "events", "meta", "config_items", "locks", "metrics", "allow_lists",
		"allow_list_items", "allow_list_allowlist_items",
	} {
		counts[table] = list[int](t, p.db, "SELECT COUNT(*) FROM "+table)[0]
	}
	return counts
}

// checkAccess checks that everybody can log in, and the allowlist.
func (p peer) checkAccess(t *testing.T, s *sql.Store) {
	t.Helper()
	machine, err := s.Machine(t.Context(), "host-2")
	if err != nil || !machine.Validated || bcrypt.CompareHashAndPassword([]byte(machine.PasswordHash), []byte("secret-of-host-2")) != nil {
		t.Errorf("host-2 cannot log in: %+v, %v", machine, err)
	}
	if unknown, err := s.Machine(t.Context(), "host-3"); err != nil || unknown.Validated {
		t.Errorf("host-3 is %+v, %v", unknown, err)
	}
	for _, name := range []string{"firewall-1", "firewall-2"} {
		hash := sha512.Sum512([]byte("key-of-" + name))
		bouncers, err := s.Bouncers(t.Context(), store.BouncerFilter{KeyHash: hex.EncodeToString(hash[:])})
		if err != nil || len(bouncers) != 1 || bouncers[0].Name != name {
			t.Errorf("key of %s: %+v, %v", name, bouncers, err)
		}
	}
	lists, err := s.Allowlists(t.Context(), time.Now())
	if err != nil || len(lists) != 1 || lists[0].Name != "office" || len(lists[0].Items) != 2 ||
		lists[0].Items[0].Value != "198.51.100.0/24" || lists[0].Items[1].Value != "203.0.113.7" {
		t.Errorf("allowlists %+v, %v", lists, err)
	}
}

func (p peer) checkDecisions(t *testing.T, s *sql.Store) {
	t.Helper()
	alerts, err := s.Alerts(t.Context(), store.AlertFilter{})
	if err != nil || len(alerts) != p.alerts {
		t.Errorf("%d alerts, %v; want %d", len(alerts), err, p.alerts)
	}
	var events, owned int
	for _, alert := range alerts {
		events += len(alert.Events)
		owned += len(alert.Decisions)
	}
	rows := p.rows(t)
	if events != rows["events"] || owned != rows["decisions"] {
		t.Errorf("alerts have %d events and %d decisions, rows %v", events, owned, rows)
	}
	snapshot, err := s.Snapshot(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	values, perOrigin := map[string]bool{}, map[string]int{}
	for _, d := range snapshot.Decisions {
		values[d.Value] = true
		perOrigin[d.Origin]++
	}
	if perOrigin["cscli-import"] != 300 || perOrigin["cscli"] != 4 || len(snapshot.Decisions) != 304 {
		t.Errorf("active decisions %v", perOrigin)
	}
	for _, value := range []string{"192.0.2.10", "192.0.2.64/26", "ZZ", "2001:db8::7"} {
		if !values[value] {
			t.Errorf("no active decision about %s", value)
		}
	}
	changes, err := s.ChangesSince(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var logged []domain.Decision
	for _, change := range changes {
		logged = append(logged, change.Decision)
	}
	if !reflect.DeepEqual(logged, snapshot.Decisions) || snapshot.Seq != 304 {
		t.Errorf("the log begins with %d decisions, up to change %d", len(logged), snapshot.Seq)
	}
}

// checkUse checks that the database works on, with times that are as precise as ours.
func (p peer) checkUse(t *testing.T, s *sql.Store) {
	t.Helper()
	at := time.Date(2026, 11, 22, 1, 2, 3, 456_789_000, time.UTC)
	ids, err := s.AddAlerts(t.Context(), []domain.Alert{{
		UUID: "new", MachineID: "host-2", Scenario: "s", StartAt: at, StopAt: at, Events: []domain.AlertEvent{{Time: at}},
		Decisions: []domain.Decision{{Scope: "Ip", Value: "192.0.2.99", Until: at.AddDate(20, 0, 0)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	alert, err := s.Alert(t.Context(), ids[0])
	if err != nil || alert.StartAt != at || alert.Events[0].Time != at || alert.Decisions[0].Until != at.AddDate(20, 0, 0) {
		t.Errorf("alert %+v, %v", alert, err)
	}
	if ended, err := s.ExpireDecisions(t.Context(), store.DecisionFilter{Origin: "cscli-import"}, time.Now()); err != nil || ended != 300 {
		t.Errorf("%d decisions ended, %v", ended, err)
	}
	changes, err := s.ChangesSince(t.Context(), 304, 1000)
	if err != nil || len(changes) != 301 || changes[0].Removed || !changes[1].Removed {
		t.Errorf("%d changes, %v", len(changes), err)
	}
	flushed, err := s.Flush(t.Context(), store.FlushPolicy{MaxAlerts: 1})
	if err != nil || flushed.Alerts != p.alerts-4 {
		t.Errorf("flushed %+v, %v", flushed, err)
	}
}
