package sql

import (
	"cmp"
	"context"
	dbsql "database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// session is one transaction, or a single statement outside of one. Every statement passes through it.
type session struct {
	db     querier
	engine *engine
	logged *int64 // where a transaction notes the last number that it gave in the change log
}

// querier is what transactions and pools share.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (dbsql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*dbsql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *dbsql.Row
}

// exec returns how many rows were affected.
func (s session) exec(ctx context.Context, query string, args ...any) (int, error) {
	result, err := s.db.ExecContext(ctx, s.engine.parameters(query), args...)
	if err != nil {
		return 0, err
	}
	rows, err := result.RowsAffected()
	return int(rows), err
}

// one reads the first row into dest, dbsql.ErrNoRows without one.
func (s session) one(ctx context.Context, dest []any, query string, args ...any) error {
	return s.db.QueryRowContext(ctx, s.engine.parameters(query), args...).Scan(dest...)
}

// each calls visit for every row, with the Scan method of the row.
func (s session) each(ctx context.Context, visit func(scan scanFunc) error, query string, args ...any) error {
	rows, err := s.db.QueryContext(ctx, s.engine.parameters(query), args...)
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

// insertRows stores rows, whose values follow each other, with few statements. Their sizes are powers of two, so that
// there are few different ones, and who remembers a statement finds it again.
func (s session) insertRows(ctx context.Context, table string, columns []string, values []any) error {
	return s.insertStamped(ctx, insertion{table: table, columns: columns}, values)
}

// insertion says where rows go.
type insertion struct {
	table   string
	columns []string
	stamp   any // the value of created_at and updated_at, which are no part of columns; nil: the table has none
}

// maxParameters is far below what engines allow for a statement.
const maxParameters = 2000

func (s session) insertStamped(ctx context.Context, into insertion, values []any) error {
	size := 1
	for 2*size*(len(into.columns)+2) <= maxParameters {
		size *= 2
	}
	for ; len(values) > 0; size /= 2 {
		for width := size * len(into.columns); len(values) >= width; values = values[width:] {
			if err := s.insertChunk(ctx, into, values[:width]); err != nil {
				return fmt.Errorf("inserting into %s: %w", into.table, err)
			}
		}
	}
	return nil
}

func (s session) insertChunk(ctx context.Context, into insertion, values []any) error {
	query := into.statement(s.engine, len(values)/len(into.columns))
	switch {
	case into.stamp == nil:
	case s.engine.stamp != "":
		values = append([]any{into.stamp}, values...)
	default:
		values = into.stampEach(values)
	}
	_, err := s.exec(ctx, query, values...)
	return err
}

// statement inserts a number of rows. Where the engine can name a parameter, the stamp is the first one of all.
func (i insertion) statement(e *engine, rows int) string {
	columns := strings.Join(i.columns, ", ")
	row := "(?" + strings.Repeat(", ?", len(i.columns)-1) + ")"
	if i.stamp != nil {
		columns = "created_at, updated_at, " + columns
		stamp := cmp.Or(e.stamp, "?")
		row = "(" + stamp + ", " + stamp + ", " + row[1:]
	}
	return "INSERT INTO " + i.table + " (" + columns + ") VALUES " + row + strings.Repeat(", "+row, rows-1)
}

// stampEach puts the stamp before each row, twice.
func (i insertion) stampEach(values []any) []any {
	stamped := make([]any, 0, len(values)+2*len(values)/len(i.columns))
	for row := range slices.Chunk(values, len(i.columns)) {
		stamped = append(append(stamped, i.stamp, i.stamp), row...)
	}
	return stamped
}

func (s session) time(t time.Time) any { return s.engine.bindTime(t) }

func (s session) timeOrNull(t time.Time) any { return s.engine.timeOrNull(t) }

// idsPerStatement keeps a list of ids far below what engines allow for a statement.
const idsPerStatement = 10_000

// idList writes ids as an SQL list. Numbers need no parameters, of which engines allow only so many.
func idList(ids []int64) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = strconv.FormatInt(id, 10)
	}
	return "(" + strings.Join(text, ", ") + ")"
}
