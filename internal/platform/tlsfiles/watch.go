package tlsfiles

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultInterval is the time between two looks at the files.
const DefaultInterval = 2 * time.Second

// Options tune a Watched value. The zero value is ready to use.
type Options struct {
	Interval time.Duration    // least time between two looks at the files; 0: DefaultInterval
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: no logs
}

// Watched is a value that is made of files, and made again when they change. It is safe for concurrent use.
type Watched[T any] struct {
	load    func() (T, error)
	paths   []string
	options Options
	value   atomic.Pointer[T]

	mu     sync.Mutex // held by the one who looks
	seen   []state    // of the files that were loaded last, or tried to
	until  time.Time  // nobody needs to look before
	failed string     // what was wrong with the files that were seen, "" for nothing
}

// state tells a file from what it was before.
type state struct {
	info os.FileInfo // nil: cannot be looked at
}

// Watch loads a value for the first time, and returns the error of that. The value depends on the files at
// paths, all of which exist; empty paths are left out.
func Watch[T any](options Options, load func() (T, error), paths ...string) (*Watched[T], error) {
	if options.Interval <= 0 {
		options.Interval = DefaultInterval
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	paths = slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == "" })
	w := &Watched[T]{load: load, paths: paths, options: options, seen: look(paths), until: options.Now().Add(options.Interval)}
	value, err := load()
	if err != nil {
		return nil, err
	}
	w.value.Store(&value)
	return w, nil
}

// Get returns the newest value that could be loaded. At most one caller at a time looks at the files.
func (w *Watched[T]) Get() T {
	if w.mu.TryLock() {
		w.refresh()
		w.mu.Unlock()
	}
	return *w.value.Load()
}

// refresh needs the lock. What is seen is noted before the files are read: a change in between is seen the
// next time. Files that could not be used are tried again without a change, because what was wrong may not
// show in them: permissions, say.
func (w *Watched[T]) refresh() {
	now := w.options.Now()
	if now.Before(w.until) {
		return
	}
	w.until = now.Add(w.options.Interval)
	seen := look(w.paths)
	if slices.EqualFunc(seen, w.seen, state.same) && w.failed == "" {
		return
	}
	w.seen = seen
	files := strings.Join(w.paths, ", ")
	value, err := w.load()
	if err != nil {
		if w.failed != err.Error() {
			w.options.Log.Warn("changed files cannot be used, their old content stays in force", "files", files, "error", err)
		}
		w.failed = err.Error()
		return
	}
	w.failed = ""
	w.value.Store(&value)
	w.options.Log.Info("changed files are in force", "files", files)
}

func look(paths []string) []state {
	seen := make([]state, len(paths))
	for i, path := range paths {
		info, err := os.Stat(path)
		if err == nil {
			seen[i] = state{info}
		}
	}
	return seen
}

func (s state) same(other state) bool {
	if s.info == nil || other.info == nil {
		return s.info == nil && other.info == nil
	}
	return s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime()) && os.SameFile(s.info, other.info)
}

// read returns the content of a file that must not be empty of blocks with the label of PEM.
func read(path, label string) ([]byte, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(text), "-----BEGIN "+label+"-----") {
		return nil, fmt.Errorf("%s: no %s in it", path, strings.ToLower(label))
	}
	return text, nil
}
