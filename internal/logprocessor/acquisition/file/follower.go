package file

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

const (
	pollInterval  = 250 * time.Millisecond // where the kernel does not tell
	checkInterval = 5 * time.Second        // where it does; also between tries to open what could not be
)

// follower finds the files that the settings select and runs a tail for each. Run owns all its state.
type follower struct {
	settings *settings
	env      acquisition.Env
	hits     *prometheus.CounterVec
	log      *slog.Logger
	prefix   string // of the checkpoints of this source
	buffers  *sync.Pool

	out       chan<- acquisition.Batch
	watcher   *fsnotify.Watcher // nil when the kernel has none to give
	blind     bool              // a folder is not watched, so new files must be looked for
	inventory *inventory
	tails     map[string]*tail  // by path
	aliases   map[string]*tail  // by the path that a symbolic link leads to
	early     map[string]extent // existed when the source was opened, and nobody has opened it yet
	failed    map[string]string // last error by path, to log each once and to try again
	ended     chan ending
	running   sync.WaitGroup
}

// extent is how far a file reached at some time.
type extent struct {
	identity
	end int64
}

// ending is the end of a tail.
type ending struct {
	tail *tail
	err  error
}

// newFollower notes how far the files reach that exist: what is written from now on is read, however long it takes
// until Run begins.
func newFollower(s *settings, env acquisition.Env, hits *prometheus.CounterVec) *follower {
	return &follower{
		settings: s,
		env:      env,
		hits:     hits,
		log:      env.Log,
		prefix:   Kind + ":" + s.Labels["type"] + ":",
		buffers: &sync.Pool{New: func() any {
			buffer := make([]byte, readBytes)
			return &buffer
		}},
		tails:   map[string]*tail{},
		aliases: map[string]*tail{},
		early:   s.extents(),
		failed:  map[string]string{},
		ended:   make(chan ending),
	}
}

// Run satisfies acquisition.Source.
func (f *follower) Run(ctx context.Context, out chan<- acquisition.Batch) (err error) {
	f.out = out
	stops := checkpoint.Stops[place](f.env.Checkpoints, f.prefix)
	if f.inventory, err = newInventory(stops, f.env.Now()); err != nil {
		return err
	}
	if f.watcher, err = fsnotify.NewWatcher(); err != nil {
		f.log.Warn("no file notifications, polling instead", "error", err)
		f.blind = true
	}
	defer func() {
		f.running.Wait()
		if f.watcher != nil {
			err = errors.Join(err, f.watcher.Close())
		}
	}()
	f.begin(ctx)
	f.loop(ctx)
	return nil
}

// begin starts with the files that exist. Folders are watched before they are listed, so that no file can
// appear unseen in between.
func (f *follower) begin(ctx context.Context) {
	f.discover(ctx)
	if len(f.settings.matches()) == 0 {
		f.log.Warn("no file matches yet", "patterns", f.settings.patterns)
	}
}

func (f *follower) loop(ctx context.Context) {
	var events chan fsnotify.Event
	var errs chan error
	if f.watcher != nil {
		events, errs = f.watcher.Events, f.watcher.Errors
	}
	discovery := time.NewTicker(f.settings.DiscoveryEvery)
	defer discovery.Stop()
	retry := time.NewTicker(checkInterval)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			f.handle(ctx, event)
		case err := <-errs:
			f.recover(ctx, err)
		case end := <-f.ended:
			f.forget(ctx, end)
		case <-discovery.C:
			if f.settings.Discovery || f.blind {
				f.discover(ctx)
			}
		case <-retry.C:
			for path := range f.failed {
				f.consider(ctx, path)
			}
		}
	}
}

// handle acts on one notification.
func (f *follower) handle(ctx context.Context, event fsnotify.Event) {
	if tail := f.tails[event.Name]; tail != nil {
		tail.nudge()
		if event.Has(fsnotify.Create) {
			f.watchTarget(tail)
		}
		return
	}
	if tail := f.aliases[event.Name]; tail != nil {
		tail.nudge()
	}
	if event.Op == fsnotify.Write {
		return
	}
	if f.settings.selects(event.Name) {
		f.consider(ctx, event.Name)
	}
	if event.Op&(fsnotify.Create|fsnotify.Rename|fsnotify.Remove) != 0 && f.settings.mayContain(event.Name) {
		f.discover(ctx)
	}
}

// recover looks at everything after notifications were lost.
func (f *follower) recover(ctx context.Context, err error) {
	f.log.Warn("file notifications were lost, looking at all files", "error", err)
	for _, tail := range f.tails {
		tail.nudge()
	}
	f.discover(ctx)
}

// forget drops a tail that has ended. Its path may have a new file already.
func (f *follower) forget(ctx context.Context, end ending) {
	path := end.tail.path
	delete(f.tails, path)
	for alias, tail := range f.aliases {
		if tail == end.tail {
			delete(f.aliases, alias)
		}
	}
	if end.err == nil || end.tail.began {
		delete(f.failed, path)
	}
	if end.err != nil {
		f.fail(path, end.err)
		return
	}
	f.consider(ctx, path)
}

func (f *follower) fail(path string, err error) {
	if f.failed[path] != err.Error() {
		f.log.Warn("log file cannot be followed, trying again", "path", path, "error", err)
	}
	f.failed[path] = err.Error()
}

// discover looks for folders and files that are not followed yet.
func (f *follower) discover(ctx context.Context) {
	f.watchFolders()
	for _, path := range f.settings.matches() {
		f.consider(ctx, path)
	}
}

func (f *follower) watchFolders() {
	if f.watcher == nil {
		return
	}
	for _, folder := range f.settings.folders() {
		if err := f.watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Warn("folder cannot be watched, polling it instead", "path", folder, "error", err)
			f.blind = true
		}
		if f.polls(folder) {
			f.blind = true
		}
	}
}

// consider starts a tail for a path unless there is one, or nothing to follow there.
func (f *follower) consider(ctx context.Context, path string) {
	if f.tails[path] != nil {
		return
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		delete(f.failed, path)
		delete(f.early, path)
		return
	}
	if err != nil {
		f.fail(path, err)
		return
	}
	if info.IsDir() || f.settings.passesOver(path) {
		return
	}
	if !info.Mode().IsRegular() {
		f.fail(path, errors.New("not a regular file"))
		return
	}
	f.start(ctx, path)
}

func (f *follower) start(ctx context.Context, path string) {
	cursor, err := checkpoint.Take[place](f.env.Checkpoints, f.prefix+path)
	if err != nil {
		f.fail(path, err)
		return
	}
	t := &tail{
		path:      path,
		quiet:     f.settings.PartialLineAfter,
		poll:      f.interval(path),
		before:    f.early[path],
		log:       f.log,
		emitter:   newEmitter(path, f.settings, f.env, f.hits),
		cursor:    cursor,
		inventory: f.inventory,
		buffers:   f.buffers,
		wake:      make(chan struct{}, 1),
	}
	t.emitter.out = f.out
	f.tails[path] = t
	f.watchTarget(t)
	f.running.Go(func() {
		err := t.run(ctx)
		select {
		case f.ended <- ending{t, err}:
		case <-ctx.Done():
		}
	})
}

// watchTarget watches the folder of the file that a symbolic link leads to, because notifications name that
// file.
func (f *follower) watchTarget(t *tail) {
	target, err := filepath.EvalSymlinks(t.path)
	if err != nil || target == t.path || f.watcher == nil {
		return
	}
	if err := f.watcher.Add(filepath.Dir(target)); err != nil {
		f.log.Warn("target of symbolic link cannot be watched", "path", t.path, "target", target, "error", err)
		return
	}
	f.aliases[target] = t
}

func (f *follower) interval(path string) time.Duration {
	if f.watcher == nil || f.blind || f.polls(path) {
		return pollInterval
	}
	return checkInterval
}

// polls reports whether notifications about a path cannot be relied on.
func (f *follower) polls(path string) bool {
	if f.settings.Poll != nil {
		return *f.settings.Poll
	}
	return onNetwork(path)
}
