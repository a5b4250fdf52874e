package sql

import (
	"context"

	"shieldwall/internal/domain"
)

// AddAudit implements store.Audit.
func (s *Store) AddAudit(ctx context.Context, entries []domain.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, func(tx session) error {
		now := tx.time(s.now())
		var values []any
		for _, e := range entries {
			values = append(values, now, e.ActorKind, e.Actor, e.Address, e.Action, e.Subject, e.Count)
		}
		return tx.insertRows(ctx, "audit_log",
			[]string{"created_at", "actor_kind", "actor", "address", "action", "subject", "affected"}, values)
	})
}

// AuditEntries implements store.Audit.
func (s *Store) AuditEntries(ctx context.Context, limit int) (entries []domain.AuditEntry, err error) {
	err = s.ask(func(tx session) error {
		entries, err = collect(ctx, tx, scanAuditEntry, `SELECT id, created_at, actor_kind, actor, address, action, subject, affected
			FROM audit_log ORDER BY id DESC LIMIT ?`, limit)
		return err
	})
	return entries, err
}

func scanAuditEntry(scan scanFunc) (e domain.AuditEntry, err error) {
	err = scan(&e.ID, instant{&e.At}, &e.ActorKind, &e.Actor, &e.Address, &e.Action, &e.Subject, &e.Count)
	return e, err
}
