package stream

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

const (
	defaultInterval = time.Second
	defaultHistory  = 100_000
	defaultGrace    = time.Hour
	pageSize        = 5000

	// hurried is the interval while somebody waits for a change: one that another process commits is told
	// within it.
	hurried = 100 * time.Millisecond
)

// Options adjust an Index; zero values select the defaults.
type Options struct {
	Log      *slog.Logger
	Now      func() time.Time
	Interval time.Duration // between two looks at the log for other writers, default 1s
	History  int           // changes, and expiries, that are remembered for deltas, default 100,000
	Grace    time.Duration // age of expiries that are remembered across a restart, default 1h
}

// Index is the active decisions and their recent past. It is safe for concurrent use.
type Index struct {
	source   store.ChangeLog
	log      *slog.Logger
	now      func() time.Time
	interval time.Duration

	following chan struct{} // holds one token while somebody reads the log
	waiting   atomic.Int64  // those who are in a hurry

	mu           sync.RWMutex  // guards all below
	changed      chan struct{} // closed when anything below changes
	seq          int64         // last change that was applied
	active       *active
	changes      ring[change]
	changesSince int64 // every change above is in changes
	expired      ring[expiry]
	expiredSince time.Time // every expiry after is in expired
	lastExpiry   time.Time
	names        interner
}

// change is an entry of the log. For a removal, heldUntil is when a bouncer would have let go by itself.
type change struct {
	seq       int64
	removed   bool
	decision  *domain.Decision
	heldUntil time.Time
}

// expiry is a decision that ended by itself, and when that was noticed.
type expiry struct {
	at       time.Time
	decision *domain.Decision
}

// Open reads the snapshot and the recent history of source. The caller owns source and runs Run.
func Open(ctx context.Context, source store.ChangeLog, options Options) (*Index, error) {
	x := newIndex(source, options)
	now := x.now()
	grace := orDefault(options.Grace, defaultGrace)
	// The past of the snapshot is moved back so that what ended shortly before the start can be announced.
	snapshot, err := source.Snapshot(ctx, now.Add(-grace))
	if err != nil {
		return nil, fmt.Errorf("reading the active decisions: %w", err)
	}
	if err := x.recall(ctx, snapshot.Seq); err != nil {
		return nil, err
	}
	x.seq = snapshot.Seq
	for _, d := range snapshot.Decisions {
		x.active.add(x.names.internAll(d))
	}
	x.expiredSince = now.Add(-grace)
	x.expireInOrder(now)
	if err := x.Sync(ctx); err != nil {
		return nil, err
	}
	return x, nil
}

func newIndex(source store.ChangeLog, options Options) *Index {
	x := &Index{
		source:    source,
		log:       options.Log,
		now:       options.Now,
		interval:  orDefault(options.Interval, defaultInterval),
		following: make(chan struct{}, 1),
		changed:   make(chan struct{}),
		active:    newActive(),
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if x.now == nil {
		x.now = time.Now
	}
	x.changes.limit = orDefault(options.History, defaultHistory)
	x.expired.limit = x.changes.limit
	return x
}

func orDefault[T ~int | ~int64](value, fallback T) T {
	if value == 0 {
		return fallback
	}
	return value
}

// recall fills the history with the changes that led to the snapshot. Entries that the store has discarded
// are about decisions that have ended by themselves since.
func (x *Index) recall(ctx context.Context, until int64) error {
	seq := max(0, until-int64(x.changes.limit))
	x.changesSince = seq
	for {
		page, err := x.source.ChangesSince(ctx, seq, pageSize)
		if err != nil {
			return fmt.Errorf("reading the recent changes: %w", err)
		}
		for _, logged := range page {
			if seq = logged.Seq; seq > until {
				return nil
			}
			d := x.names.internAll(logged.Decision)
			x.remember(change{seq: seq, removed: logged.Removed, decision: &d, heldUntil: heldUntil(nil, &d)})
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// heldUntil returns when a bouncer would let go of a decision by itself that was ended, and is logged as
// removed. The log tells the end of an addition as it is now, which may be that of the removal already: then
// nobody knows, and bouncers are rather told too often than not at all.
func heldUntil(ended *entry, removed *domain.Decision) time.Time {
	if ended == nil || !ended.decision.Until.After(removed.Until) {
		return forever()
	}
	return ended.decision.Until
}

func forever() time.Time { return time.Unix(math.MaxInt32*1000, 0) }

// Sync applies everything that was committed before the call.
func (x *Index) Sync(ctx context.Context) error {
	select {
	case x.following <- struct{}{}:
		defer func() { <-x.following }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to read the change log: %w", ctx.Err())
	}
	for {
		page, err := x.source.ChangesSince(ctx, x.Seq(), pageSize)
		if err != nil {
			return fmt.Errorf("reading the change log: %w", err)
		}
		x.apply(page)
		if len(page) < pageSize {
			return nil
		}
	}
}

// Run follows the log until ctx ends. An unreachable log is reported once and tried again.
func (x *Index) Run(ctx context.Context) error {
	ticker := time.NewTicker(min(hurried, x.interval))
	defer ticker.Stop()
	reachable, last := true, time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			if x.waiting.Load() == 0 && now.Sub(last) < x.interval {
				continue
			}
			last = now
		}
		x.expire(x.now())
		reachable = x.report(ctx, x.Sync(ctx), reachable)
	}
}

// Changed returns a channel that is closed when anything changes that an answer is made of: ask for it, then
// for the answer.
func (x *Index) Changed() <-chan struct{} {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.changed
}

// Hurry makes Run look at the log more often, until the function that it returns is called.
func (x *Index) Hurry() (enough func()) {
	x.waiting.Add(1)
	return func() { x.waiting.Add(-1) }
}

// wake tells those who wait. The caller holds the lock.
func (x *Index) wake() {
	close(x.changed)
	x.changed = make(chan struct{})
}

// report logs when the log becomes unreachable or reachable again, and returns which it is.
func (x *Index) report(ctx context.Context, err error, wasReachable bool) bool {
	switch {
	case ctx.Err() != nil:
		return wasReachable
	case err != nil && wasReachable:
		x.log.ErrorContext(ctx, "change log unreachable, bouncers see no new decisions of other writers", "error", err)
	case err == nil && !wasReachable:
		x.log.InfoContext(ctx, "change log reachable again")
	}
	return err == nil
}

// Seq returns the sequence number of the last change that was applied.
func (x *Index) Seq() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.seq
}

func (x *Index) apply(page []store.Change) {
	if len(page) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, logged := range page {
		x.applyOne(logged)
		x.seq = logged.Seq
	}
	x.wake()
}

func (x *Index) applyOne(logged store.Change) {
	d := x.names.internAll(logged.Decision)
	if !logged.Removed {
		x.remember(change{seq: logged.Seq, decision: &x.active.add(d).decision})
		return
	}
	ended := x.active.remove(d.ID)
	x.remember(change{seq: logged.Seq, removed: true, decision: &d, heldUntil: heldUntil(ended, &d)})
}

func (x *Index) remember(c change) {
	if evicted, full := x.changes.push(c); full {
		x.changesSince = evicted.seq
	}
}

// expire moves what has ended at now from the active decisions to the recent past.
func (x *Index) expire(now time.Time) {
	x.mu.RLock()
	end, ok := x.active.nextEnd()
	x.mu.RUnlock()
	if !ok || end.After(now) {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	// An expiry counts from when it was noticed: no answer before can have announced it.
	at := latest(now, x.lastExpiry)
	x.expireUntil(now, func(*entry) time.Time { return at })
	x.wake()
}

// expireInOrder is expire for a start: nobody noticed these expiries, so they count from their end.
func (x *Index) expireInOrder(now time.Time) {
	x.expireUntil(now, func(e *entry) time.Time { return e.decision.Until })
}

func (x *Index) expireUntil(now time.Time, noticed func(*entry) time.Time) {
	for len(x.active.byEnd) > 0 && !isActive(&x.active.byEnd[0].decision, now) {
		e := x.active.remove(x.active.byEnd[0].decision.ID)
		x.lastExpiry = noticed(e)
		if evicted, full := x.expired.push(expiry{at: x.lastExpiry, decision: &e.decision}); full {
			x.expiredSince = evicted.at
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
