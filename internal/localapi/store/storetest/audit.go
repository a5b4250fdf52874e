package storetest

import (
	"time"

	"shieldwall/internal/domain"
)

func auditNow(f *fixture, limit int) []domain.AuditEntry {
	f.t.Helper()
	entries, err := f.AuditEntries(f.t.Context(), limit)
	succeed(f.t, "reading the audit log", err)
	for i := range entries {
		if i > 0 && entries[i].ID >= entries[i-1].ID {
			f.t.Fatalf("entries are not the newest first: %+v", entries)
		}
	}
	for i := range entries {
		entries[i].ID = 0
	}
	return entries
}

func auditRoundTrip(f *fixture) {
	first := domain.AuditEntry{
		ActorKind: "machine", Actor: "web-1", Address: "192.0.2.1", Action: "decisions.expire", Subject: "value=203.0.113.9", Count: 3,
	}
	second := domain.AuditEntry{ActorKind: "cscli", Actor: "root", Action: "machine.add", Subject: "web-2"}
	third := domain.AuditEntry{Action: "other"}
	succeed(f.t, "adding two", f.AddAudit(f.t.Context(), []domain.AuditEntry{first, second}))
	first.At, second.At = f.clock.Now(), f.clock.Now()
	third.At = f.clock.advance(time.Second)
	succeed(f.t, "adding one", f.AddAudit(f.t.Context(), []domain.AuditEntry{third}))
	succeed(f.t, "adding none", f.AddAudit(f.t.Context(), nil))
	equal(f.t, "all", auditNow(f, 10), []domain.AuditEntry{third, second, first})
	equal(f.t, "the newest", auditNow(f, 2), []domain.AuditEntry{third, second})
}
