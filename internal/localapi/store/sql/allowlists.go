package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

// CreateAllowlist implements store.Allowlists. Items of the list are not stored.
func (s *Store) CreateAllowlist(ctx context.Context, list domain.Allowlist) (domain.Allowlist, error) {
	err := s.changeAllowlists(ctx, func(tx session) error {
		list.CreatedAt = s.now().UTC().Round(0)
		list.UpdatedAt = list.CreatedAt
		list.Items = nil
		err := tx.insertRows(ctx, "allow_lists",
			[]string{"created_at", "updated_at", "name", "from_console", "description", "allowlist_id"},
			[]any{tx.time(list.CreatedAt), tx.time(list.UpdatedAt), list.Name, list.FromConsole, list.Description, list.ConsoleID})
		if err != nil {
			return err
		}
		list.ID, err = tx.allowlistRow(ctx, list.Name)
		return err
	})
	if fault.Is(err, fault.Exists) {
		err = fault.Errorf(fault.Exists, "allowlist '%s' already exists", list.Name) // published text
	}
	if err != nil {
		return domain.Allowlist{}, err
	}
	return list, nil
}

// DeleteAllowlist implements store.Allowlists.
func (s *Store) DeleteAllowlist(ctx context.Context, name string) error {
	return s.changeAllowlists(ctx, func(tx session) error {
		list, err := tx.allowlistRow(ctx, name)
		if err != nil {
			return err
		}
		items, err := tx.allowlistItems(ctx, list)
		if err != nil {
			return err
		}
		if err := tx.unlinkItems(ctx, list, rowsOfItems(items)); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "DELETE FROM allow_lists WHERE id = ?", list)
		return err
	})
}

// Allowlists implements store.Allowlists.
func (s *Store) Allowlists(ctx context.Context, now time.Time) (lists []domain.Allowlist, err error) {
	err = s.read(ctx, func(tx session) error {
		lists, err = collect(ctx, tx, scanAllowlist, `SELECT id, name, description, allowlist_id, from_console, created_at, updated_at
			FROM allow_lists ORDER BY name`)
		if err != nil {
			return err
		}
		return tx.loadAllowlistItems(ctx, lists, now)
	})
	if err != nil {
		return nil, err
	}
	return lists, nil
}

func scanAllowlist(scan scanFunc) (list domain.Allowlist, err error) {
	err = scan(&list.ID, &list.Name, nullable(&list.Description), nullable(&list.ConsoleID), &list.FromConsole,
		instant{&list.CreatedAt}, instant{&list.UpdatedAt})
	return list, err
}

func (s session) loadAllowlistItems(ctx context.Context, lists []domain.Allowlist, now time.Time) error {
	byID := make(map[int64]*domain.Allowlist, len(lists))
	for i := range lists {
		byID[lists[i].ID] = &lists[i]
	}
	return s.each(ctx, func(scan scanFunc) error {
		var (
			list int64
			item domain.AllowlistItem
		)
		if err := scan(&list, &item.Value, nullable(&item.Comment), instant{&item.CreatedAt}, instant{&item.ExpiresAt}); err != nil {
			return err
		}
		byID[list].Items = append(byID[list].Items, item)
		return nil
	}, `SELECT links.allow_list_id, items.value, items.comment, items.created_at, items.expires_at
		FROM allow_list_items AS items JOIN allow_list_allowlist_items AS links ON links.allow_list_item_id = items.id
		WHERE items.expires_at IS NULL OR items.expires_at > ? ORDER BY items.id`, s.time(now))
}

// AddAllowlistItems implements store.Allowlists. A value that is neither an address nor a prefix makes it refuse
// all, with an error of kind Invalid. CreatedAt is set by the store.
func (s *Store) AddAllowlistItems(ctx context.Context, name string, items []domain.AllowlistItem) (added int, err error) {
	err = s.changeAllowlists(ctx, func(tx session) error {
		list, err := tx.allowlistRow(ctx, name)
		if err != nil {
			return err
		}
		fresh, err := tx.makeRoom(ctx, list, items, s.now())
		if err != nil {
			return err
		}
		added = len(fresh)
		return tx.linkItems(ctx, list, fresh, s.now())
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// makeRoom returns the items whose values the list does not have, each once, and removes expired ones that have
// the value of one of them.
func (s session) makeRoom(ctx context.Context, list int64, items []domain.AllowlistItem, now time.Time) ([]domain.AllowlistItem, error) {
	held, err := s.allowlistItems(ctx, list)
	if err != nil {
		return nil, err
	}
	var (
		fresh []domain.AllowlistItem
		stale []int64
		taken = map[string]bool{}
	)
	for _, item := range items {
		known, isHeld := held[item.Value]
		if taken[item.Value] || isHeld && !known.expired(now) {
			continue
		}
		taken[item.Value] = true
		fresh = append(fresh, item)
		if isHeld {
			stale = append(stale, known.row)
		}
	}
	return fresh, s.unlinkItems(ctx, list, stale)
}

func (s session) linkItems(ctx context.Context, list int64, items []domain.AllowlistItem, now time.Time) error {
	if len(items) == 0 {
		return nil
	}
	var values []any
	for _, item := range items {
		r, err := domain.ParseIPRange(item.Value)
		if err != nil {
			return fault.Mark(fault.Invalid, err)
		}
		at := encodeRange(r)
		values = append(values, s.timeOrNull(item.ExpiresAt), item.Comment, item.Value,
			at.startIP, at.endIP, at.startSuffix, at.endSuffix, at.size)
	}
	// Lists are changed one after the other, so the rows above this one will be those of the items.
	var last int64
	if err := s.one(ctx, []any{nullable(&last)}, "SELECT MAX(id) FROM allow_list_items"); err != nil {
		return err
	}
	err := s.insertStamped(ctx, insertion{table: "allow_list_items", stamp: s.time(now), columns: []string{
		"expires_at", "comment", "value", "start_ip", "end_ip", "start_suffix", "end_suffix", "ip_size",
	}}, values)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO allow_list_allowlist_items (allow_list_id, allow_list_item_id)
		SELECT lists.id, items.id FROM allow_lists AS lists, allow_list_items AS items WHERE lists.id = ? AND items.id > ?`, list, last)
	if err != nil {
		return fmt.Errorf("adding items to the list: %w", err)
	}
	return s.touchAllowlist(ctx, list, now)
}

// RemoveAllowlistItems implements store.Allowlists.
func (s *Store) RemoveAllowlistItems(ctx context.Context, name string, values []string) (removed int, err error) {
	err = s.changeAllowlists(ctx, func(tx session) error {
		list, err := tx.allowlistRow(ctx, name)
		if err != nil {
			return err
		}
		items, err := tx.allowlistItems(ctx, list)
		if err != nil {
			return err
		}
		var doomed []int64
		for _, value := range values {
			if item, ok := items[value]; ok {
				doomed = append(doomed, item.row)
				delete(items, value)
			}
		}
		if removed = len(doomed); removed == 0 {
			return nil
		}
		if err := tx.unlinkItems(ctx, list, doomed); err != nil {
			return err
		}
		return tx.touchAllowlist(ctx, list, s.now())
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// unlinkItems takes items from a list; those that no other list has are gone.
func (s session) unlinkItems(ctx context.Context, list int64, items []int64) error {
	for batch := range slices.Chunk(items, idsPerStatement) {
		if _, err := s.exec(ctx, "DELETE FROM allow_list_allowlist_items WHERE allow_list_id = ? AND allow_list_item_id IN "+
			idList(batch), list); err != nil {
			return fmt.Errorf("taking items from the list: %w", err)
		}
		if _, err := s.exec(ctx, "DELETE FROM allow_list_items WHERE id IN "+idList(batch)+
			" AND NOT EXISTS (SELECT 1 FROM allow_list_allowlist_items WHERE allow_list_item_id = allow_list_items.id)"); err != nil {
			return fmt.Errorf("removing items of the list: %w", err)
		}
	}
	return nil
}

func (s session) touchAllowlist(ctx context.Context, list int64, now time.Time) error {
	_, err := s.exec(ctx, "UPDATE allow_lists SET updated_at = ? WHERE id = ?", s.time(now), list)
	return err
}

// allowlistRow returns the id of the list's row, NotFound without one.
func (s session) allowlistRow(ctx context.Context, name string) (row int64, err error) {
	err = s.one(ctx, []any{&row}, "SELECT id FROM allow_lists WHERE name = ?", name)
	if errors.Is(err, dbsql.ErrNoRows) {
		return 0, fault.Errorf(fault.NotFound, "allowlist '%s' not found", name) // published text
	}
	return row, err
}

// heldItem is an item of a list, as its row.
type heldItem struct {
	row       int64
	value     string
	expiresAt time.Time // zero: never
}

func (i heldItem) expired(now time.Time) bool {
	return !i.expiresAt.IsZero() && !i.expiresAt.After(now)
}

// allowlistItems returns the items of a list by value, expired ones included.
func (s session) allowlistItems(ctx context.Context, list int64) (map[string]heldItem, error) {
	items := map[string]heldItem{}
	err := s.each(ctx, func(scan scanFunc) error {
		var item heldItem
		if err := scan(&item.row, &item.value, instant{&item.expiresAt}); err != nil {
			return err
		}
		items[item.value] = item
		return nil
	}, `SELECT id, value, expires_at FROM allow_list_items JOIN allow_list_allowlist_items ON allow_list_item_id = id
		WHERE allow_list_id = ?`, list)
	return items, err
}

func rowsOfItems(items map[string]heldItem) []int64 {
	rows := make([]int64, 0, len(items))
	for _, item := range items {
		rows = append(rows, item.row)
	}
	return rows
}

// AllowlistRevision implements store.Allowlists.
func (s *Store) AllowlistRevision(ctx context.Context) (revision int64, err error) {
	err = s.ask(func(tx session) error {
		revision, err = tx.counter(ctx, allowlistCounter)
		return err
	})
	return revision, err
}

// changeAllowlists runs do in a transaction of its own kind: one at a time, from its first statement, and each
// moves the revision.
func (s *Store) changeAllowlists(ctx context.Context, do func(session) error) error {
	return s.write(ctx, func(tx session) error {
		if _, err := tx.advance(ctx, allowlistCounter, 1); err != nil {
			return err
		}
		return do(tx)
	})
}
