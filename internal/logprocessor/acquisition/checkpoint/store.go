package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"shieldwall/internal/platform/atomicfile"
)

const (
	formatVersion = 1
	maxEntries    = 10_000   // beyond it the positions that were read at longest ago are forgotten
	maxFileBytes  = 32 << 20 // no file that this package wrote comes near

	// confirmEvery bounds by how much a confirmation in the file may lag behind. It costs a write of the file
	// each time while all logs are quiet.
	confirmEvery = 15 * time.Second
)

// Store keeps the positions of all sources. It is safe for concurrent use.
type Store struct {
	path string // "" keeps positions in memory only
	log  *slog.Logger
	now  func() time.Time

	writing sync.Mutex // one Flush at a time, so that an older snapshot never replaces a newer one

	mu       sync.Mutex
	slots    map[string]*slot
	mark     json.RawMessage // what Commit saved with the positions
	dirty    bool
	gathered time.Time // when the positions were last put together to be written
}

// slot is one key: what the file said until a cursor takes it, the cursor from then on.
type slot struct {
	saved   json.RawMessage
	updated time.Time // when the committed position was issued or last confirmed
	cursor  committer
	taken   bool
}

// committer is the part of a Cursor that does not depend on the type of its positions.
type committer interface {
	committedPosition() (position any, ok bool)
}

type document struct {
	Version   int              `json:"version"`
	Positions map[string]entry `json:"positions"`
	Mark      json.RawMessage  `json:"mark,omitempty"`
}

type entry struct {
	Updated  time.Time       `json:"updated"`
	Position json.RawMessage `json:"position"`
}

// Options are what a Store needs from outside.
type Options struct {
	Log *slog.Logger
	Now func() time.Time
}

// Open reads the store at path. A missing file is an empty store; one that cannot be understood is renamed
// to path+".corrupt" with a warning, and the store starts empty. The error is for a file that exists and
// cannot be read at all.
func Open(path string, options Options) (*Store, error) {
	store := InMemory(options)
	store.path = path
	text, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return store, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints: %w", err)
	}
	if err := store.load(text); err != nil {
		store.log.Warn("checkpoints not understood, starting without them",
			"path", path, "kept_as", path+".corrupt", "error", err)
		if err := os.Rename(path, path+".corrupt"); err != nil {
			return nil, fmt.Errorf("setting corrupt checkpoints aside: %w", err)
		}
	}
	return store, nil
}

// InMemory returns an empty store that outlives reloads but not the process.
func InMemory(options Options) *Store {
	return &Store{log: options.Log, now: options.Now, slots: map[string]*slot{}}
}

// Run flushes at every interval until ctx ends, and once more then. Cancel ctx after the last
// acknowledgement. A flush that fails is logged and tried again; only the last one is returned.
func (s *Store) Run(ctx context.Context, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.Flush()
		case <-ticker.C:
			if err := s.Flush(); err != nil {
				s.log.Warn("checkpoints not saved", "error", err)
			}
		}
	}
}

// Flush writes the committed positions if one has changed, or if the last time was a while ago and one was
// confirmed since. When it returns nil they are on disk.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.flush()
}

// Commit calls release, which acknowledges leases, and writes what is committed then together with a mark:
// the file never holds the one without the other. A mark is JSON. After an error both are in memory, and
// the next Flush or Commit writes them.
func (s *Store) Commit(mark json.RawMessage, release func()) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	release()
	s.setMark(mark)
	return s.flush()
}

// Mark returns the mark of the last Commit, or the saved one; nil when there is none.
func (s *Store) Mark() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark
}

func (s *Store) setMark(mark json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark, s.dirty = mark, true
}

// flush is called with writing locked.
func (s *Store) flush() error {
	snapshot, changed := s.snapshot()
	if !changed {
		return nil
	}
	if err := s.write(snapshot); err != nil {
		s.markDirty()
		return fmt.Errorf("saving checkpoints: %w", err)
	}
	return nil
}

func (s *Store) load(text []byte) error {
	var loaded document
	if err := json.Unmarshal(text, &loaded); err != nil {
		return err
	}
	if loaded.Version != formatVersion {
		return fmt.Errorf("version %d is not %d", loaded.Version, formatVersion)
	}
	for key, entry := range loaded.Positions {
		s.slots[key] = &slot{saved: entry.Position, updated: entry.Updated}
	}
	s.mark = loaded.Mark
	return nil
}

// confirmed makes the next Flush write if the file has become too old to tell.
func (s *Store) confirmed(now time.Time) {
	if now.Sub(s.gathered) >= confirmEvery {
		s.dirty = true
	}
}

func (s *Store) markDirty() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = true
}

type committed struct {
	position any
	updated  time.Time
}

func (s *Store) snapshot() (map[string]committed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty || s.path == "" {
		return nil, false
	}
	s.dirty, s.gathered = false, s.now()
	s.forgetOldest()
	snapshot := make(map[string]committed, len(s.slots))
	for key, slot := range s.slots {
		if position, ok := slot.position(); ok {
			snapshot[key] = committed{position, slot.updated}
		}
	}
	return snapshot, true
}

// forgetOldest keeps the store within its bound; what a source holds right now stays. The oldest belong to
// what no source has found for the longest time.
func (s *Store) forgetOldest() {
	excess := len(s.slots) - maxEntries
	if excess <= 0 {
		return
	}
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(s.slots)), func(key string) bool { return s.slots[key].taken })
	slices.SortFunc(keys, func(a, b string) int { return s.slots[a].updated.Compare(s.slots[b].updated) })
	for _, key := range keys[:min(excess, len(keys))] {
		delete(s.slots, key)
	}
	s.log.Warn("oldest checkpoints forgotten", "count", min(excess, len(keys)), "limit", maxEntries)
}

func (s *slot) position() (any, bool) {
	if s.cursor != nil {
		return s.cursor.committedPosition()
	}
	return s.saved, true
}

func (s *Store) write(snapshot map[string]committed) error {
	file := document{Version: formatVersion, Positions: make(map[string]entry, len(snapshot)), Mark: s.Mark()}
	for key, value := range snapshot {
		position, err := json.Marshal(value.position)
		if err != nil {
			return fmt.Errorf("encoding position of %s: %w", key, err)
		}
		file.Positions[key] = entry{Updated: value.updated, Position: position}
	}
	text, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.Write(s.path, append(text, '\n'), 0o600)
}

func (s *Store) withPrefix(prefix string) []string {
	keys := make([]string, 0, len(s.slots))
	for key := range s.slots {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return []byte("too large"), nil // not JSON, so it is set aside like any other damage
	}
	return os.ReadFile(path) //nolint:gosec // our own file in the data folder
}
