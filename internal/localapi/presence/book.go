package presence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

const (
	// writeEvery is how old what people read about machines and bouncers may be.
	writeEvery = 3 * time.Second
	// cursorPause is how long a cursor that moved may wait: a bouncer may ask another replica next.
	cursorPause = 250 * time.Millisecond
	// restRatio keeps most of the store's time free for others, when very many bouncers follow very many changes.
	restRatio = 4
)

// Book is what was noted and is not stored yet. It is safe for concurrent use.
type Book struct {
	store store.Presence
	log   *slog.Logger
	moved chan struct{} // has a token after a cursor has moved

	flushing sync.Mutex // held by who writes to the store

	mu       sync.Mutex // guards all below
	machines notes[string, store.MachineChange]
	bouncers notes[int64, store.BouncerChange]
}

// New returns an empty Book. The caller runs Run.
func New(presence store.Presence, log *slog.Logger) *Book {
	return &Book{
		store: presence, log: log, moved: make(chan struct{}, 1),
		machines: notes[string, store.MachineChange]{merge: mergeMachine},
		bouncers: notes[int64, store.BouncerChange]{merge: mergeBouncer},
	}
}

// NoteMachine notes what is new about a machine.
func (b *Book) NoteMachine(id string, change store.MachineChange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.machines.add(id, change)
}

// NoteBouncer notes what is new about a bouncer.
func (b *Book) NoteBouncer(id int64, change store.BouncerChange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bouncers.add(id, change)
	if change.Cursor == nil {
		return
	}
	select {
	case b.moved <- struct{}{}:
	default:
	}
}

// Amend returns a bouncer as it was read from the store with what is noted about it, unless another replica has heard of
// it since.
func (b *Book) Amend(bouncer domain.Bouncer) domain.Bouncer {
	b.mu.Lock()
	defer b.mu.Unlock()
	change := b.bouncers.about(bouncer.ID)
	if change.Standing != nil {
		bouncer.Standing = *change.Standing
	}
	if change.LastPull == nil || change.LastPull.Before(bouncer.LastPull) {
		return bouncer
	}
	bouncer.LastPull = *change.LastPull
	if change.Cursor != nil {
		bouncer.Cursor = *change.Cursor
	}
	return bouncer
}

// Run writes what is noted until ctx ends. What is noted later is for Flush. That the store is away is said once.
func (b *Book) Run(ctx context.Context) error {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	var (
		rest   time.Duration
		failed bool
	)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-b.moved:
			if !pause(ctx, max(cursorPause, rest)) {
				return nil
			}
		}
		began := time.Now()
		err := b.Flush(ctx)
		rest = restRatio * time.Since(began)
		if err != nil && !failed && ctx.Err() == nil {
			b.log.WarnContext(ctx, "it is not stored for now when machines and bouncers were heard of", "error", err)
		}
		failed = err != nil
	}
}

// pause reports false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Flush writes everything that is noted. What could not be written stays noted.
func (b *Book) Flush(ctx context.Context) error {
	b.flushing.Lock()
	defer b.flushing.Unlock()
	return errors.Join(
		flush(ctx, &b.mu, &b.machines, b.store.UpdateMachines),
		flush(ctx, &b.mu, &b.bouncers, b.store.UpdateBouncers),
	)
}

func flush[ID comparable, Change any](
	ctx context.Context, mu *sync.Mutex, all *notes[ID, Change], write func(context.Context, map[ID]Change) error,
) error {
	mu.Lock()
	changes := all.take()
	mu.Unlock()
	if len(changes) == 0 {
		return nil
	}
	err := write(ctx, changes)
	mu.Lock()
	defer mu.Unlock()
	all.end(err == nil)
	if err != nil {
		return fmt.Errorf("storing who was heard of: %w", err)
	}
	return nil
}

func mergeMachine(older, newer store.MachineChange) store.MachineChange {
	newer.LastPush = cmp.Or(newer.LastPush, older.LastPush)
	newer.LastHeartbeat = cmp.Or(newer.LastHeartbeat, older.LastHeartbeat)
	return newer
}

func mergeBouncer(older, newer store.BouncerChange) store.BouncerChange {
	newer.LastPull = cmp.Or(newer.LastPull, older.LastPull)
	newer.Cursor = cmp.Or(newer.Cursor, older.Cursor)
	newer.Standing = cmp.Or(newer.Standing, older.Standing)
	return newer
}
