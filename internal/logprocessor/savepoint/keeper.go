package savepoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/atomicfile"
)

const (
	defaultMaxBytes = 256 << 20
	renewAfter      = 16 << 20 // a journal is not begun anew before it is that long
	renewGrowth     = 3        // and that many times as long as it was when it began
	retryAfter      = time.Minute
	bufferSize      = 64 << 10
)

// names of the journal. The next one never has the name of the one that counts.
var names = [...]string{"buckets-1.journal", "buckets-2.journal"}

// formerNames are those of the first version, which this one does not read.
var formerNames = [...]string{"buckets-1.jsonl", "buckets-2.jsonl"}

// Options are what a Keeper needs from outside.
type Options struct {
	Dir       string // of the journal; must exist
	Positions *checkpoint.Store
	Now       func() time.Time
	Log       *slog.Logger
	MaxBytes  int64            // of the live buckets in a journal; 0: 256 MiB
	NewEpoch  func() uuid.UUID // nil: random ones
}

// Keeper makes save points. One goroutine calls its methods, the one that pours; Abandon may come from any.
type Keeper struct {
	options   Options
	store     *bucket.Store
	committed mark
	full      bool      // the next record must tell everything
	renewAt   int64     // begin a new journal when this one is as long
	retryAt   time.Time // after the buckets were too many
	failed    bool      // the last commit is in memory only
	acks      []func()  // of lines that wait for the next save point
	ordinals  map[string]int
	journal   *journal // of the file that counts
	abandoned atomic.Bool
}

// mark is what is saved with the positions.
type mark struct {
	Epoch uuid.UUID `json:"epoch"`          // changes with each save point
	File  string    `json:"file,omitempty"` // "": there are no buckets
	Size  int64     `json:"size,omitempty"` // of the part of the file that counts
	Sum   uint32    `json:"crc32c,omitempty"`
}

// Open returns a keeper and the buckets of its last save point, which it watches from now on: the caller pours
// into them and nobody else.
func Open(options Options) (*Keeper, *bucket.Store, error) {
	if options.MaxBytes <= 0 {
		options.MaxBytes = defaultMaxBytes
	}
	if options.NewEpoch == nil {
		options.NewEpoch = uuid.New
	}
	k := &Keeper{options: options, full: true, ordinals: map[string]int{}}
	if err := k.restore(); err != nil {
		return nil, nil, err
	}
	k.store.Watch()
	return k, k.store, nil
}

// Save makes a save point: it writes down what happened to the buckets, then calls the acknowledgements of
// all lines that are in them. After an error nothing was acknowledged and the next Save makes up for it.
func (k *Keeper) Save(acks []func()) error {
	if k.abandoned.Load() {
		return nil
	}
	k.acks = append(k.acks, acks...)
	if len(k.acks) == 0 && !k.store.Changed() {
		return nil
	}
	if err := k.repair(); err != nil {
		return fmt.Errorf("making up for a save point: %w", err)
	}
	next, err := k.write()
	if err != nil {
		k.full = true
		return fmt.Errorf("saving buckets: %w", err)
	}
	return k.commit(next)
}

// Abandon ends the save points for good, because some lines are neither safe nor will be poured again before
// the next start: that one goes on from the last save point.
func (k *Keeper) Abandon() { k.abandoned.Store(true) }

// Name gives the alerts of an overflow UUIDs which they get again if the process ends before the next save
// point and their lines come again: the Local API stores each once. They are made of the last save point, of
// what the alert is about, and of how many like it there were since.
func (k *Keeper) Name(overflow *event.Event) {
	for _, alert := range overflow.Overflow.APIAlerts {
		about := overflow.Overflow.Mapkey + " " + alert.GetValue()
		k.ordinals[about]++
		alert.UUID = uuid.NewSHA1(k.committed.Epoch, fmt.Appendf(nil, "%d %s", k.ordinals[about], about)).String()
	}
}

// repair writes a commit that only reached the memory, so that no file is touched that counts on disk.
func (k *Keeper) repair() error {
	if !k.failed {
		return nil
	}
	err := k.options.Positions.Flush()
	k.failed = err != nil
	return err
}

func (k *Keeper) commit(next mark) error {
	next.Epoch = k.options.NewEpoch()
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	before := k.committed
	k.committed, k.ordinals = next, map[string]int{}
	if err := k.options.Positions.Commit(text, k.release); err != nil {
		k.failed = true
		return err
	}
	if before.File == "" || before.File == next.File {
		return nil
	}
	if err := os.Remove(k.path(before.File)); err != nil {
		return fmt.Errorf("removing the journal before: %w", err)
	}
	return nil
}

func (k *Keeper) release() {
	for _, ack := range k.acks {
		ack()
	}
	k.acks = nil
}

// write brings the journal up to date and returns the mark of what counts, which has no epoch yet.
func (k *Keeper) write() (mark, error) {
	switch {
	case k.full || k.committed.Size >= k.renewAt:
		return k.renew()
	case k.store.Changed():
		return k.extend()
	}
	return k.committed, nil
}

// renew begins a journal with all buckets.
func (k *Keeper) renew() (mark, error) {
	if k.full && k.options.Now().Before(k.retryAt) {
		return mark{}, nil
	}
	next := mark{File: names[0]}
	if k.committed.File == names[0] {
		next.File = names[1]
	}
	k.journal = newJournal()
	err := k.append(&next, os.O_CREATE|os.O_TRUNC, k.store.Everything())
	if errors.Is(err, errTooLarge) {
		k.full, k.retryAt = true, k.options.Now().Add(retryAfter)
		k.options.Log.Warn("too many live buckets, they will not survive a restart", "buckets", k.store.Len(), "limit_bytes", k.options.MaxBytes)
		return mark{}, os.Remove(k.path(next.File))
	}
	if err == nil {
		err = atomicfile.SyncDir(k.options.Dir)
	}
	if err != nil {
		return mark{}, err
	}
	k.full, k.renewAt = false, max(renewAfter, renewGrowth*next.Size)
	return next, nil
}

// extend appends what has changed to the journal that counts.
func (k *Keeper) extend() (mark, error) {
	next := k.committed
	err := k.append(&next, 0, k.store.Changes())
	return next, err
}

// append writes a save point behind what counts of a file. Until the mark is committed, it does not count.
func (k *Keeper) append(to *mark, flag int, changes bucket.Changes) error {
	file, err := os.OpenFile(k.path(to.File), os.O_WRONLY|flag, 0o600)
	if err != nil {
		return err
	}
	limit := int64(math.MaxInt64)
	if to.Size == 0 {
		limit = k.options.MaxBytes
	}
	into := newSink(io.NewOffsetWriter(file, to.Size), to.Size, to.Sum, limit)
	if to.Size == 0 {
		into.write([]byte(header()))
	}
	err = k.journal.savePoint(into, changes)
	to.Size, to.Sum = into.size, into.written.sum
	return errors.Join(err, file.Sync(), file.Close())
}

func (k *Keeper) path(name string) string { return filepath.Join(k.options.Dir, name) }

// restore finds the last save point. A new epoch is saved before any alert is named after it.
func (k *Keeper) restore() error {
	text := k.options.Positions.Mark()
	if text == nil {
		return k.beginAnew()
	}
	err := json.Unmarshal(text, &k.committed)
	if err == nil {
		k.store, err = k.read(k.committed)
	}
	if err == nil {
		return nil
	}
	k.options.Log.Warn("saved buckets not understood, starting without them", "dir", k.options.Dir, "error", err)
	for _, name := range slices.Concat(names[:], formerNames[:]) {
		if err := os.Rename(k.path(name), k.path(name)+".corrupt"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("setting corrupt buckets aside: %w", err)
		}
	}
	return k.beginAnew()
}

func (k *Keeper) beginAnew() error {
	k.store, k.committed = bucket.NewStore(k.options.Now()), mark{}
	if err := k.commit(mark{}); err != nil {
		return fmt.Errorf("beginning without buckets: %w", err)
	}
	return nil
}

var errDamaged = errors.New("content differs from what was saved")

func (k *Keeper) read(from mark) (*bucket.Store, error) {
	if from.File == "" {
		return bucket.NewStore(k.options.Now()), nil
	}
	if from.File != names[0] && from.File != names[1] {
		return nil, fmt.Errorf("%w: file %q", errJournal, from.File)
	}
	file, err := os.Open(k.path(from.File))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := crc32.New(castagnoli())
	content := io.TeeReader(io.LimitReader(file, from.Size), sum)
	store, err := readJournal(&source{in: bufio.NewReaderSize(content, bufferSize)}, k.options.Now())
	if err == nil && sum.Sum32() != from.Sum {
		err = errDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.File, err)
	}
	k.options.Log.Info("buckets of the last run live on", "count", store.Len())
	return store, nil
}
