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

	// recent is how long everything is remembered, however much it is: when a million decisions end at once, those who
	// poll have to be told of each.
	recent = 5 * time.Minute

	pageSize = 5000

	// hurried is the interval while somebody waits for a change: one that another process commits is told
	// within it.
	hurried = 100 * time.Millisecond
)

// Options adjust an Index; zero values select the defaults.
type Options struct {
	Log      *slog.Logger
	Now      func() time.Time
	Interval time.Duration // between two looks at the log for other writers, default 1s
	History  int           // changes, and expiries, that are remembered for deltas however old, default 100,000
	Grace    time.Duration // age of expiries that are remembered across a restart, default 1h
}

// Log is where an Index learns what is decided: store.ChangeLog, as far as it reads it.
type Log interface {
	VisitActive(ctx context.Context, now time.Time, visit func(*domain.Decision)) (seq int64, err error)
	ChangesSince(ctx context.Context, seq int64, limit int) ([]store.Change, error)
}

// Index is the active decisions and their recent past. It is safe for concurrent use.
type Index struct {
	source   Log
	log      *slog.Logger
	now      func() time.Time
	interval time.Duration
	history  int

	following chan struct{} // holds one token while somebody reads the log
	waiting   atomic.Int64  // those who are in a hurry

	joining  sync.Mutex // guards upcoming
	upcoming *reading   // nil when nobody waits for one

	mu           sync.RWMutex  // guards all below
	changed      chan struct{} // closed when anything below changes
	seq          int64         // last change that was applied
	active       *active
	changes      ring[change]
	changesSince int64 // every change above is in changes
	expired      ring[expiry]
	expiredSince time.Time // every expiry after is in expired
	lastExpiry   time.Time
}

// change is an entry of the log.
type change struct {
	seq     int64
	id      int64    // of the decision
	at      int64    // when it was applied, in µs; 0: before the start
	removal *removal // nil: it was added
}

// removal is a decision that was ended, and when a bouncer would have let go of it by itself, in µs.
type removal struct {
	Record

	heldUntil int64
}

// expiry is a decision that ended by itself, and when that was noticed.
type expiry struct {
	Record

	at time.Time
}

// Open reads the snapshot and the recent history of source. The caller owns source and runs Run.
func Open(ctx context.Context, source Log, options Options) (*Index, error) {
	x := newIndex(source, options)
	now := x.now()
	grace := orDefault(options.Grace, defaultGrace)
	// The past of the snapshot is moved back so that what ended shortly before the start can be announced.
	seq, err := source.VisitActive(ctx, now.Add(-grace), func(d *domain.Decision) { x.active.add(recordOf(d)) })
	if err != nil {
		return nil, fmt.Errorf("reading the active decisions: %w", err)
	}
	if err := x.recall(ctx, seq); err != nil {
		return nil, err
	}
	x.seq = seq
	x.expiredSince = now.Add(-grace)
	x.expireInOrder(now)
	if err := x.Sync(ctx); err != nil {
		return nil, err
	}
	return x, nil
}

func newIndex(source Log, options Options) *Index {
	x := &Index{
		source:    source,
		log:       options.Log,
		now:       options.Now,
		interval:  orDefault(options.Interval, defaultInterval),
		history:   orDefault(options.History, defaultHistory),
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
	seq := max(0, until-int64(x.history))
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
			x.changes.push(changeOf(&logged, never))
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// changeOf returns what is remembered of an entry of the log. A removed decision has been in the index until held, or
// has never been. The log tells the end of an addition as it is now, which may be that of the removal already: then
// nobody knows when a bouncer would have let go, and bouncers are rather told too often than not at all.
func changeOf(logged *store.Change, held int64) change {
	c := change{seq: logged.Seq, id: logged.Decision.ID}
	if !logged.Removed {
		return c
	}
	c.removal = &removal{Record: recordOf(&logged.Decision), heldUntil: held}
	if held <= c.removal.until {
		c.removal.heldUntil = math.MaxInt64
	}
	return c
}

// Sync applies everything that was committed before the call. Calls that come while the log is read share the next
// reading of it.
func (x *Index) Sync(ctx context.Context) error {
	for {
		r, mine := x.join()
		if mine {
			x.perform(ctx, r)
			return r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("waiting to read the change log: %w", ctx.Err())
		}
		if !r.abandoned {
			return r.err
		}
	}
}

// reading is one look at the log, for all who came before it began.
type reading struct {
	done      chan struct{} // closed when the rest is set
	err       error
	abandoned bool // by the caller who was to do it
}

// join returns the reading that has not begun yet, and whether the caller is to do it.
func (x *Index) join() (r *reading, mine bool) {
	x.joining.Lock()
	defer x.joining.Unlock()
	if x.upcoming == nil {
		x.upcoming = &reading{done: make(chan struct{})}
		mine = true
	}
	return x.upcoming, mine
}

// perform does a reading when the one before has ended.
func (x *Index) perform(ctx context.Context, r *reading) {
	defer close(r.done)
	select {
	case x.following <- struct{}{}:
		defer func() { <-x.following }()
	case <-ctx.Done():
		r.err = fmt.Errorf("waiting to read the change log: %w", ctx.Err())
	}
	x.joining.Lock()
	x.upcoming = nil // who comes now wants to know what is committed by now
	x.joining.Unlock()
	if r.err == nil {
		r.err = x.follow(ctx)
	}
	r.abandoned = r.err != nil && ctx.Err() != nil
}

// follow reads the log to its end. The caller is the only one.
func (x *Index) follow(ctx context.Context) error {
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
		x.tidy(x.now())
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
	now := x.now()
	for i := range page {
		c := x.applyOne(&page[i])
		c.at = now.UnixMicro()
		x.changes.push(c)
		x.seq = c.seq
	}
	x.forget(now)
	x.wake()
}

func (x *Index) applyOne(logged *store.Change) change {
	if !logged.Removed {
		x.active.add(recordOf(&logged.Decision))
		return changeOf(logged, never)
	}
	held := int64(never)
	if ended, ok := x.active.remove(logged.Decision.ID); ok {
		held = ended.until
	}
	return changeOf(logged, held)
}

// tidy is forget for when nothing happens.
func (x *Index) tidy(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(now)
}

// forget drops the oldest of what is more than has to be remembered.
func (x *Index) forget(now time.Time) {
	past := now.Add(-recent)
	for x.changes.len() > x.history && x.changes.at(0).at < past.UnixMicro() {
		x.changesSince = x.changes.pop().seq
	}
	for x.expired.len() > x.history && x.expired.at(0).at.Before(past) {
		x.expiredSince = x.expired.pop().at
	}
}

// expire moves what has ended at now from the active decisions to the recent past.
func (x *Index) expire(now time.Time) {
	x.mu.RLock()
	end, ok := x.active.nextEnd()
	x.mu.RUnlock()
	if !ok || end > now.UnixMicro() {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	// An expiry counts from when it was noticed: no answer before can have announced it.
	at := latest(now, x.lastExpiry)
	x.expireUntil(now, func(Record) time.Time { return at })
	x.forget(now)
	x.wake()
}

// expireInOrder is expire for a start: nobody noticed these expiries, so they count from their end.
func (x *Index) expireInOrder(now time.Time) {
	x.expireUntil(now, func(ended Record) time.Time { return ended.end() })
}

func (x *Index) expireUntil(now time.Time, noticed func(Record) time.Time) {
	for {
		end, ok := x.active.nextEnd()
		if !ok || end > now.UnixMicro() {
			return
		}
		ended, _ := x.active.remove(x.active.firstToEnd())
		x.lastExpiry = noticed(ended)
		x.expired.push(expiry{Record: ended, at: x.lastExpiry})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
