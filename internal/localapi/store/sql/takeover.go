package sql

import (
	"context"
	"fmt"
	"time"
)

// adoptSQLite makes times compare as text, and begins the change log with the decisions that are active. In a new
// database it finds nothing to do. The counters are made later, and take over the number of the last entry.
func adoptSQLite(ctx context.Context, tx session, now time.Time) error {
	if err := tx.normalizeTimes(ctx); err != nil {
		return fmt.Errorf("rewriting times: %w", err)
	}
	_, err := tx.exec(ctx, `INSERT INTO decision_changes (removed, decision_id)
		SELECT FALSE, id FROM decisions WHERE until > ? ORDER BY id`, tx.time(now))
	if err != nil {
		return fmt.Errorf("logging the active decisions: %w", err)
	}
	return nil
}

type timeColumn struct{ table, name string }

// normalizeTimes rewrites the times that are not in the form that sqliteTime describes. Releases and builds of
// the replaced system wrote local times, and the text of Go's default format.
func (s session) normalizeTimes(ctx context.Context) error {
	columns, err := collect(ctx, s, func(scan scanFunc) (c timeColumn, err error) {
		err = scan(&c.table, &c.name)
		return c, err
	}, `SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND lower(c.type) = 'datetime'`)
	if err != nil {
		return err
	}
	for _, column := range columns {
		if err := s.normalizeTimeColumn(ctx, column); err != nil {
			return fmt.Errorf("table %s, column %s: %w", column.table, column.name, err)
		}
	}
	return nil
}

type oddTime struct {
	row  int64
	text string
}

func (s session) normalizeTimeColumn(ctx context.Context, column timeColumn) error {
	const wellFormed = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
	// CAST hides the type of the column from the driver, which would parse the text.
	odd, err := collect(ctx, s, func(scan scanFunc) (o oddTime, err error) {
		err = scan(&o.row, &o.text)
		return o, err
	}, fmt.Sprintf(`SELECT rowid, CAST(%[2]q AS text) FROM %[1]q WHERE %[2]q IS NOT NULL
		AND NOT (%[2]q GLOB ? OR (%[2]q GLOB ? AND %[2]q NOT GLOB '*0+00:00'))`, column.table, column.name),
		wellFormed+"+00:00", wellFormed+".[0-9]*+00:00")
	if err != nil {
		return err
	}
	for _, o := range odd {
		t, err := parseTime(o.text)
		if err != nil {
			return fmt.Errorf("row %d: %w", o.row, err)
		}
		update := fmt.Sprintf("UPDATE %q SET %q = ? WHERE rowid = ?", column.table, column.name)
		if _, err := s.exec(ctx, update, s.time(t), o.row); err != nil {
			return err
		}
	}
	return nil
}

const uuidIndex = "shieldwall_alert_uuid"

// uniqueUUIDs makes the engine keep an alert once by UUID, whoever stores it. A UUID that is there twice stays with
// its first alert.
func (s session) uniqueUUIDs(ctx context.Context, hasIndex func(ctx context.Context, table, index string) (bool, error)) error {
	known, err := hasIndex(ctx, "alerts", uuidIndex)
	if err != nil || known {
		return err
	}
	// The derived table is for MariaDB, which refuses to read the table that it changes.
	_, err = s.exec(ctx, `UPDATE alerts SET uuid = NULL WHERE uuid = '' OR id NOT IN
		(SELECT first FROM (SELECT MIN(id) AS first FROM alerts GROUP BY uuid) AS firsts)`)
	if err != nil {
		return fmt.Errorf("keeping each UUID once: %w", err)
	}
	_, err = s.exec(ctx, "CREATE UNIQUE INDEX "+uuidIndex+" ON alerts (uuid)")
	return err
}

// logActive begins the change log with the decisions that are active, unless it has begun.
func (s session) logActive(ctx context.Context, now time.Time) error {
	begun, err := s.counter(ctx, changeCounter)
	if err != nil || begun > 0 {
		return err
	}
	var count int
	if err := s.one(ctx, []any{&count}, "SELECT COUNT(*) FROM decisions WHERE until > ?", s.time(now)); err != nil || count == 0 {
		return err
	}
	if _, err := s.advance(ctx, changeCounter, count); err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO decision_changes (seq, removed, decision_id)
		SELECT ROW_NUMBER() OVER (ORDER BY id), FALSE, id FROM decisions WHERE until > ?`, s.time(now))
	if err != nil {
		return fmt.Errorf("logging the active decisions: %w", err)
	}
	return nil
}
