package stream_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

var errDown = errors.New("database is down")

// memoryLog is a change log in memory.
type memoryLog struct {
	mu      sync.Mutex
	changes []store.Change
	ends    map[int64]time.Time // of decisions that were removed; additions are told with it, as from a table
	down    bool
	read    chan struct{} // receives, when not nil, after each read of changes
}

func (l *memoryLog) add(d domain.Decision) { l.append(false, d) }

func (l *memoryLog) remove(d domain.Decision, now time.Time) {
	d.Until = now
	l.append(true, d)
}

func (l *memoryLog) append(removed bool, d domain.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends == nil {
		l.ends = map[int64]time.Time{}
	}
	if removed {
		l.ends[d.ID] = d.Until
	}
	l.changes = append(l.changes, store.Change{Seq: int64(len(l.changes) + 1), Removed: removed, Decision: d})
}

func (l *memoryLog) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *memoryLog) VisitActive(_ context.Context, now time.Time, visit func(*domain.Decision)) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return 0, errDown
	}
	last := map[int64]domain.Decision{}
	var order []int64
	for _, c := range l.changes {
		if !c.Removed {
			order = append(order, c.Decision.ID)
		}
		last[c.Decision.ID] = c.Decision
	}
	for _, id := range order {
		if d := last[id]; d.Until.After(now) {
			visit(&d)
		}
	}
	return int64(len(l.changes)), nil
}

func (l *memoryLog) ChangesSince(_ context.Context, seq int64, limit int) ([]store.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read != nil {
		defer func() { l.read <- struct{}{} }()
	}
	if l.down {
		return nil, errDown
	}
	rest := l.changes[min(int(seq), len(l.changes)):]
	page := append([]store.Change(nil), rest[:min(limit, len(rest))]...)
	for i := range page {
		if ended, ok := l.ends[page[i].Decision.ID]; ok && !page[i].Removed {
			page[i].Decision.Until = ended
		}
	}
	return page, nil
}
