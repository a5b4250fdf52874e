package localapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

const (
	journalEvery = time.Second
	journalBatch = 500    // entries written at once
	journalMax   = 50_000 // entries that wait while the store is away
)

// journal keeps who changed what through the API. Entries are written in batches, so that no request waits
// for them; a clean stop writes the last ones.
type journal struct {
	store store.Audit
	log   *slog.Logger

	mu      sync.Mutex // guards all below
	waiting []domain.AuditEntry
	lost    int // entries that found no room since the last ones were written
}

func (j *journal) note(entry domain.AuditEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) >= journalMax {
		j.lost++
		return
	}
	j.waiting = append(j.waiting, entry)
}

// run writes entries until ctx ends. What is noted later is for flush.
func (j *journal) run(ctx context.Context) error {
	ticker := time.NewTicker(journalEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := j.flush(ctx); err != nil && ctx.Err() == nil {
			j.log.WarnContext(ctx, "audit entries not stored yet", "error", err)
		}
	}
}

// flush writes everything that waits. What could not be written goes on waiting.
func (j *journal) flush(ctx context.Context) error {
	for {
		batch := j.next()
		if len(batch) == 0 {
			return nil
		}
		if err := j.store.AddAudit(ctx, batch); err != nil {
			j.mu.Lock()
			j.waiting = append(batch, j.waiting...)
			j.mu.Unlock()
			return fmt.Errorf("storing audit entries: %w", err)
		}
	}
}

func (j *journal) next() []domain.AuditEntry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost > 0 && len(j.waiting) < journalMax {
		j.log.Error("audit entries lost, the store was away for too long", "count", j.lost)
		j.lost = 0
	}
	size := min(len(j.waiting), journalBatch)
	batch := append([]domain.AuditEntry(nil), j.waiting[:size]...)
	j.waiting = j.waiting[size:]
	if len(j.waiting) == 0 {
		j.waiting = nil
	}
	return batch
}

// noteMachine records a change that a machine has made. Nothing was changed when count is zero.
func (s *Server) noteMachine(r *http.Request, machineID, action, subject string, count int) {
	if count == 0 {
		return
	}
	s.journal.note(domain.AuditEntry{
		ActorKind: "machine", Actor: machineID, Address: s.clientAddress(r).String(),
		Action: action, Subject: subject, Count: count,
	})
}
