package allowlist

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain"
)

// Source is where allowlists are kept.
type Source interface {
	// Allowlists returns all lists with the items that have not expired at now.
	Allowlists(ctx context.Context, now time.Time) ([]domain.Allowlist, error)
	// AllowlistRevision returns a number that every change makes larger.
	AllowlistRevision(ctx context.Context) (int64, error)
}

// Index is the Set of the store's latest revision. It is safe for concurrent use.
type Index struct {
	source Source
	now    func() time.Time
	latest atomic.Pointer[version]

	refreshing sync.Mutex // held by who replaces latest
}

type version struct {
	revision int64
	set      *Set
	known    map[identity]struct{}
}

// identity tells an item from one that was removed and added again.
type identity struct {
	list, value string
	createdAt   time.Time
}

// Open reads the allowlists of source.
func Open(ctx context.Context, source Source, now func() time.Time) (*Index, error) {
	x := &Index{source: source, now: now}
	x.latest.Store(&version{revision: -1, set: NewSet(nil)})
	_, err := x.Refresh(ctx)
	return x, err
}

// Set returns the items as of the last Refresh.
func (x *Index) Set() *Set { return x.latest.Load().set }

// Refresh takes over what has changed and returns the items that are new. When nothing has changed that
// costs the store the question for its revision. After an error the Index is as before.
func (x *Index) Refresh(ctx context.Context) ([]domain.AllowlistItem, error) {
	x.refreshing.Lock()
	defer x.refreshing.Unlock()
	// The revision is asked before the lists: a change in between makes the next Refresh read them again.
	revision, err := x.source.AllowlistRevision(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the revision of the allowlists: %w", err)
	}
	before := x.latest.Load()
	if revision == before.revision {
		return nil, nil
	}
	lists, err := x.source.Allowlists(ctx, x.now())
	if err != nil {
		return nil, fmt.Errorf("reading the allowlists: %w", err)
	}
	next := &version{revision: revision, set: NewSet(lists), known: map[identity]struct{}{}}
	var added []domain.AllowlistItem
	for _, list := range lists {
		for _, item := range list.Items {
			id := identity{list.Name, item.Value, item.CreatedAt}
			next.known[id] = struct{}{}
			if _, known := before.known[id]; !known {
				added = append(added, item)
			}
		}
	}
	x.latest.Store(next)
	return added, nil
}
