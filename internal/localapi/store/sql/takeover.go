package sql

import (
	"context"
	dbsql "database/sql"
	"fmt"
)

// adopt makes the rows of the replaced system follow our rules: times compare as text, and the change log
// begins with the decisions that are active. In a new database it finds nothing to do.
func (s *Store) adopt(ctx context.Context, tx *dbsql.Tx) error {
	adopting := session{tx: tx, dialect: s.dialect}
	if err := adopting.normalizeTimes(ctx); err != nil {
		return fmt.Errorf("rewriting times: %w", err)
	}
	return adopting.logAdditions(ctx, "until > ?", adopting.time(s.now()))
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
