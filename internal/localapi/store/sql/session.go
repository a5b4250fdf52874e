package sql

import (
	"context"
	dbsql "database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// session is one transaction. Every statement passes through it.
type session struct {
	tx      *dbsql.Tx
	dialect dialect
}

// exec returns how many rows were affected.
func (s session) exec(ctx context.Context, query string, args ...any) (int, error) {
	result, err := s.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	rows, err := result.RowsAffected()
	return int(rows), err
}

// one reads the first row into dest, dbsql.ErrNoRows without one.
func (s session) one(ctx context.Context, dest []any, query string, args ...any) error {
	return s.tx.QueryRowContext(ctx, query, args...).Scan(dest...)
}

// each calls visit for every row, with the Scan method of the row.
func (s session) each(ctx context.Context, visit func(scan scanFunc) error, query string, args ...any) error {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

type scanFunc func(dest ...any) error

// collect returns what scan makes of each row.
func collect[T any](ctx context.Context, s session, scan func(scanFunc) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := s.each(ctx, func(row scanFunc) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	}, query, args...)
	return all, err
}

// insertRows stores rows with as few statements as the engine's limit on parameters allows.
func (s session) insertRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	const maxParameters = 999 // the smallest limit in use
	perStatement := maxParameters / len(columns)
	for len(rows) > 0 {
		chunk := rows[:min(perStatement, len(rows))]
		rows = rows[len(chunk):]
		var args []any
		for _, row := range chunk {
			args = append(args, row...)
		}
		if _, err := s.exec(ctx, insertStatement(table, columns, len(chunk)), args...); err != nil {
			return fmt.Errorf("inserting into %s: %w", table, err)
		}
	}
	return nil
}

func insertStatement(table string, columns []string, rows int) string {
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
		row + strings.Repeat(", "+row, rows-1)
}

func (s session) time(t time.Time) any { return s.dialect.bindTime(t) }

// timeOrNull binds NULL for the zero time, which means that something never happened.
func (s session) timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return s.dialect.bindTime(t)
}

// idList writes ids as an SQL list. Numbers need no parameters, of which engines allow only so many.
func idList(ids []int64) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = strconv.FormatInt(id, 10)
	}
	return "(" + strings.Join(text, ", ") + ")"
}
