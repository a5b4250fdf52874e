package sql_test

import (
	dbsql "database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

// goBack does to the tables what the migration of the replaced system does when it opens a database of ours: time
// columns get their published types back.
func goBack(t *testing.T, db *dbsql.DB) {
	t.Helper()
	for _, line := range list[string](t, db, `SELECT CONCAT_WS(' ', table_name, column_name) FROM information_schema.columns
		WHERE table_schema = DATABASE() AND data_type = 'datetime' AND column_name <> 'until'
			AND table_name NOT IN ('audit_log', 'counters', 'decision_changes', 'leases', 'nodes')`) {
		table, column, _ := strings.Cut(line, " ")
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+table+" MODIFY "+column+" timestamp NULL"); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE decisions MODIFY until datetime NULL"); err != nil {
		t.Fatal(err)
	}
}

func TestMariaDBGoesBackAndReturns(t *testing.T) {
	t.Parallel()
	d := servers.MariaDB(t).Database(t)
	db := beside(t, d)
	at := time.Date(2026, 11, 22, 1, 2, 3, 456_789_000, time.UTC)
	cfg := configOf(d)
	cfg.Now = func() time.Time { return at }
	s := openAny(t, cfg)
	if err := s.AddMachine(t.Context(), domain.Machine{ID: "ours", LastPush: at}); err != nil {
		t.Fatal(err)
	}
	ours := domain.Alert{
		UUID: "ours", MachineID: "ours", StartAt: at, StopAt: at, Events: []domain.AlertEvent{{Time: at}, {}},
		Decisions: []domain.Decision{{Scope: "Ip", Value: "192.0.2.1", Until: at.AddDate(30, 0, 0)}},
	}
	if _, err := s.AddAlerts(t.Context(), []domain.Alert{ours}); err != nil {
		t.Fatal(err)
	}

	goBack(t, db)
	for _, statement := range []string{ // as the replaced system writes, with the columns that it knows
		`INSERT INTO machines (created_at, updated_at, machine_id, password, ip_address, is_validated, auth_type)
			VALUES ('2026-11-22 02:00:00', '2026-11-22 02:00:00', 'theirs', 'x', '', 1, 'password')`,
		`INSERT INTO bouncers (created_at, updated_at, name, api_key, revoked) VALUES ('2026-11-22 02:00:00', '2026-11-22 02:00:00', 'theirs', 'x', 0)`,
		"INSERT INTO alerts (id, created_at, updated_at, scenario, uuid) VALUES (100, '2026-11-22 02:00:00', '2026-11-22 02:00:00', 's', 'theirs')",
		`INSERT INTO decisions (created_at, updated_at, until, scenario, type, scope, value, origin, alert_decisions)
			VALUES ('2026-11-22 02:00:00', '2026-11-22 02:00:00', '2026-11-23 00:00:00', 's', 'ban', 'Ip', '192.0.2.2', 'cscli', 100)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	checkReturned(t, openAny(t, cfg), at)
}

func checkReturned(t *testing.T, s *sql.Store, at time.Time) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), at)
	if err != nil || len(snapshot.Decisions) != 2 || snapshot.Decisions[1].Value != "192.0.2.2" {
		t.Errorf("snapshot %+v, %v", snapshot, err)
	}
	alerts, err := s.Alerts(t.Context(), store.AlertFilter{OldestFirst: true})
	if err != nil || len(alerts) != 2 || alerts[0].StartAt != at.Truncate(time.Second) || len(alerts[0].Events) != 2 || alerts[1].UUID != "theirs" {
		t.Errorf("alerts %+v, %v", alerts, err)
	}
	if err := s.UpdateMachine(t.Context(), "theirs", store.MachineChange{LastPush: &at}); err != nil {
		t.Error(err)
	}
	machine, err := s.Machine(t.Context(), "theirs")
	created := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	if err != nil || machine.CreatedAt != created || machine.LastPush != at {
		t.Errorf("machine %+v, %v", machine, err)
	}
	bouncers, err := s.Bouncers(t.Context(), store.BouncerFilter{})
	if err != nil || len(bouncers) != 1 || bouncers[0].Cursor != 0 {
		t.Errorf("bouncers %+v, %v", bouncers, err)
	}
	ids, err := s.AddAlerts(t.Context(), []domain.Alert{{UUID: "theirs"}, {UUID: "ours"}})
	if want := []int64{alerts[1].ID, alerts[0].ID}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("IDs %v, %v; want %v", ids, err, want)
	}
}

// A UUID that is there twice, or empty, is no reason to refuse a database.
func TestTakeoverKeepsUUIDsOnce(t *testing.T) {
	t.Parallel()
	for name, fresh := range engines() {
		if name == "sqlite" {
			continue // keeps them as they are
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := fresh(t)
			openAny(t, cfg)
			db := besideConfig(t, cfg)
			for _, statement := range []string{
				"DROP INDEX shieldwall_alert_uuid" + map[bool]string{true: " ON alerts"}[name == "mariadb"],
				"DELETE FROM goose_db_version WHERE version_id >= 3",
				`INSERT INTO alerts (id, created_at, updated_at, scenario, uuid) VALUES (1, '2026-11-22', '2026-11-22', 's', 'twice'),
					(2, '2026-11-22', '2026-11-22', 's', 'twice'), (3, '2026-11-22', '2026-11-22', 's', ''), (4, '2026-11-22', '2026-11-22', 's', ''),
					(5, '2026-11-22', '2026-11-22', 's', NULL), (6, '2026-11-22', '2026-11-22', 's', 'once')`,
			} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			ids, err := openAny(t, cfg).AddAlerts(t.Context(), []domain.Alert{{UUID: "once"}, {UUID: "twice"}})
			if err != nil || !slices.Equal(ids, []int64{6, 1}) {
				t.Errorf("IDs %v, %v", ids, err)
			}
			got := list[dbsql.NullString](t, db, "SELECT uuid FROM alerts ORDER BY id")
			want := []dbsql.NullString{{String: "twice", Valid: true}, {}, {}, {}, {}, {String: "once", Valid: true}}
			if !slices.Equal(got, want) {
				t.Errorf("UUIDs %v", got)
			}
		})
	}
}
