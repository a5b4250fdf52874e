package sql

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

// conditions are what a row must fulfil, all of them.
type conditions struct {
	parts []string
	args  []any
}

func (c *conditions) add(part string, args ...any) {
	c.parts = append(c.parts, part)
	c.args = append(c.args, args...)
}

// equal adds column = value unless value is empty: an unset field of a filter.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

// in adds that column has one of the values, unless there are none.
func (c *conditions) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, value := range values {
		args[i] = value
	}
	c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// inIDs is in for numbers.
func (c *conditions) inIDs(column string, ids []int64) {
	if len(ids) > 0 {
		c.add(column + " IN " + idList(ids))
	}
}

// covers adds that a decision contains r, or lies inside it. An invalid range adds nothing.
func (c *conditions) covers(r domain.IPRange, inside bool) {
	if !r.IsValid() {
		return
	}
	first, last := "<=", ">="
	if inside {
		first, last = ">=", "<="
	}
	a := encodeRange(r)
	c.add("ip_size = ? AND (start_ip, start_suffix) "+first+" (?, ?) AND (end_ip, end_suffix) "+last+" (?, ?)",
		a.size, a.startIP, a.startSuffix, a.endIP, a.endSuffix)
}

// where is the clause, with a leading space, or nothing.
func (c *conditions) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

// assignments are the columns that an UPDATE changes.
type assignments struct {
	parts []string
	args  []any
}

func (a *assignments) add(column string, value any) {
	a.parts = append(a.parts, column+" = ?")
	a.args = append(a.args, value)
}

func (a *assignments) update(ctx context.Context, tx session, table, condition string, key any, missing error) error {
	query := "UPDATE " + table + " SET " + strings.Join(a.parts, ", ") + " WHERE " + condition
	rows, err := tx.exec(ctx, query, append(a.args, key)...)
	if err == nil && rows == 0 {
		return missing
	}
	return err
}

// update is a call that changes a row.
type update struct {
	do      func(context.Context, session) error
	missing error // what do returned when there was no such row
}

// change runs do in a transaction that calls at the same time share.
func (s *Store) change(ctx context.Context, do func(context.Context, session) error) error {
	call := update{do: do}
	if err := s.updates.do(ctx, &call); err != nil {
		return err
	}
	return call.missing
}

func (s *Store) updateTogether(ctx context.Context, calls []*update) error {
	return s.write(ctx, func(tx session) error {
		for _, call := range calls {
			call.missing = nil
			err := call.do(ctx, tx)
			if fault.Is(err, fault.NotFound) {
				call.missing = err // which is no reason to undo what the others did
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// rowsPerUpdate is how many rows updateMany changes in a transaction, so that those who wait for one of them do not wait
// for long.
const rowsPerUpdate = 128

// updateMany calls do for each change, in few transactions. Rows that are gone are left out.
func updateMany[ID cmp.Ordered, Change any](
	ctx context.Context, s *Store, changes map[ID]Change, do func(context.Context, session, ID, Change) error,
) error {
	inOrder := slices.Sorted(maps.Keys(changes)) // so that replicas do not wait for each other in a circle
	for ids := range slices.Chunk(inOrder, rowsPerUpdate) {
		err := s.write(ctx, func(tx session) error {
			for _, id := range ids {
				if err := do(ctx, tx, id, changes[id]); err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func assign[T any](a *assignments, column string, value *T) {
	if value != nil {
		a.add(column, *value)
	}
}

func assignTime(a *assignments, tx session, column string, value *time.Time) {
	if value != nil {
		a.add(column, tx.timeOrNull(*value))
	}
}
