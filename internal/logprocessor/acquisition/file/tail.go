package file

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

const (
	// rotationGrace is how long a file is still read after another took its name: writers reopen late.
	rotationGrace = 5 * time.Second
	// maxReads bounds how much is read before looking for truncation and rotation again.
	maxReads = 64
)

// tail follows one path through whatever happens to the file there. One goroutine runs it.
type tail struct {
	path      string
	quiet     time.Duration // after which a line without a newline is complete
	poll      time.Duration // between looks without a wake-up
	before    extent        // of the file that was there before us; the zero value: there was none
	log       *slog.Logger
	emitter   emitter
	cursor    *checkpoint.Cursor[place]
	inventory *inventory
	buffers   *sync.Pool // of *[]byte
	wake      chan struct{}

	current   *openFile  // nil before start
	rotated   []*leaving // still read for a while
	missing   time.Time  // since when there is nothing to go on with, zero while the current file is the newest
	committed place      // the newest place issued
	backlog   *backlog   // nil: what is read happens now

	remembered bool // there is a checkpoint on disk
	began      bool // it has been following something
}

// leaving is a file that was rotated away.
type leaving struct {
	*openFile
	until time.Time
}

// nudge says that something happened to the file.
func (t *tail) nudge() {
	select {
	case t.wake <- struct{}{}:
	default: // a look is due already
	}
}

// run follows the path until ctx ends, or until there has been no file for a while.
func (t *tail) run(ctx context.Context) error {
	defer t.close()
	if err := t.start(); err != nil {
		return unlessEnded(ctx, err)
	}
	timer := time.NewTimer(t.poll)
	defer timer.Stop()
	for t.current != nil { // start may have found nothing
		wait, err := t.step(ctx)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		if t.current == nil {
			break
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-timer.C:
		}
	}
	return nil
}

// start opens the file in which reading continues; there may be none any more.
func (t *tail) start() error {
	stop, known := t.cursor.Last()
	t.remembered = known
	last := resumed(stop, t.emitter.now())
	if known {
		file, err := openAt(t.path, last)
		if err != nil {
			return err
		}
		if file != nil {
			return t.follow(file, last)
		}
		t.log.Warn("log file was replaced or truncated, reading the new one from its start", "path", t.path)
	}
	file, err := os.Open(t.path)
	if err != nil {
		return ignoreMissing(err)
	}
	begin := place{Backlog: known && t.early() && last.Backlog}
	if t.early() && !known {
		if begin.Offset, err = t.before.endIn(file); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return t.follow(file, begin)
}

// early reports whether there was a file before us: if nobody has read it, reading begins at the end that it had.
func (t *tail) early() bool { return t.before != extent{} }

// endIn returns where the file ended, 0 if this is another one or one that was rewritten since.
func (e extent) endIn(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil || identityOf(info) != e.identity || info.Size() < e.end {
		return 0, err
	}
	return e.end, nil
}

// follow makes file the current one, to be read from where it was read before or, if it was not, from
// unknown. It takes the file over.
func (t *tail) follow(file *os.File, unknown place) error {
	begin, ours, err := t.inventory.claim(t, file, unknown)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f, err := newOpenFile(file, begin.Offset, t.emitter.now())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	t.current, f.foreign = f, !ours
	t.missing = time.Time{}
	if !ours {
		return nil
	}
	return t.begin(begin)
}

// begin is called when reading of the current file is about to begin at a place.
func (t *tail) begin(p place) error {
	if p.Backlog && t.backlog == nil {
		if err := t.meetBacklog(); err != nil {
			return err
		}
	}
	if err := t.mark(); err != nil {
		return err
	}
	t.remember()
	t.began = true
	t.log.Info("following log file", "path", t.path, "offset", p.Offset)
	return nil
}

// remember saves at once that the log has been met: after a crash, one that nobody remembers would be read
// from its end, and what was written since lost.
func (t *tail) remember() {
	if t.remembered {
		return
	}
	t.remembered = true
	if err := t.cursor.Save(); err != nil {
		t.log.Warn("place in log file not saved yet", "path", t.path, "error", err)
	}
}

// mark commits the place in the current file, which nothing but acknowledgements before it holds back.
func (t *tail) mark() error {
	p, err := t.place(t.current)
	if err != nil {
		return err
	}
	t.committed = p
	t.cursor.Set(p)
	return nil
}

// place returns the place in a file after what was handed over.
func (t *tail) place(f *openFile) (place, error) {
	p, err := f.place()
	p.Backlog = f == t.current && t.backlog != nil
	return p, err
}

// step does all there is to do now and returns how long to wait for more.
func (t *tail) step(ctx context.Context) (time.Duration, error) {
	if err := t.readRotated(ctx); err != nil {
		return 0, err
	}
	if t.current.foreign {
		if err := t.adopt(); err != nil {
			return 0, err
		}
	}
	more, err := t.drain(ctx, t.current)
	if err != nil || more {
		return 0, err
	}
	if again, err := t.restartTruncated(ctx); err != nil || again {
		return 0, err
	}
	if moved, err := t.advance(ctx); err != nil || moved {
		return 0, err
	}
	if err := t.completeQuiet(ctx, t.current); err != nil {
		return 0, err
	}
	if err := t.caughtUp(); err != nil {
		return 0, err
	}
	return t.patience(), nil
}

// readRotated reads what late writers still put into files that were rotated away.
func (t *tail) readRotated(ctx context.Context) error {
	for _, f := range t.rotated {
		if _, err := t.drain(ctx, f.openFile); err != nil {
			return err
		}
		if err := t.completeQuiet(ctx, f.openFile); err != nil {
			return err
		}
	}
	now := t.emitter.now()
	t.rotated = slices.DeleteFunc(t.rotated, func(f *leaving) bool {
		expired := now.After(f.until) && !f.waiting()
		if expired {
			t.release(f.openFile)
		}
		return expired
	})
	return nil
}

// adopt takes over a file that another tail has finished with.
func (t *tail) adopt() error {
	begin, ours, err := t.inventory.claim(t, t.current.file, place{})
	if err != nil || !ours {
		return err
	}
	t.current.foreign = false
	if err := t.current.moveTo(begin.Offset, t.emitter.now()); err != nil {
		return err
	}
	return t.begin(begin)
}

// drain hands over the lines that can be read now; true says that there may be more.
func (t *tail) drain(ctx context.Context, f *openFile) (bool, error) {
	if f.foreign {
		return false, nil
	}
	buffer, ok := t.buffers.Get().(*[]byte)
	if !ok {
		return false, errors.New("buffer pool holds no buffer")
	}
	defer t.buffers.Put(buffer)
	for range maxReads {
		n, err := f.file.Read(*buffer)
		if n > 0 {
			f.read += int64(n)
			f.active = t.emitter.now()
			if err := t.deliver(ctx, f, f.splitter.push(nil, (*buffer)[:n])); err != nil {
				return false, err
			}
		}
		if errors.Is(err, io.EOF) || err == nil && n < len(*buffer) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// deliver hands lines over in batches of one clock, each with the place after it.
func (t *tail) deliver(ctx context.Context, f *openFile, texts []line) error {
	for len(texts) > 0 {
		count, clock, err := t.sameClock(f, texts[:min(len(texts), maxBatchLines)])
		if err != nil {
			return err
		}
		if err := t.deliverBatch(ctx, f, texts[:count], clock); err != nil {
			return err
		}
		texts = texts[count:]
	}
	return nil
}

func (t *tail) deliverBatch(ctx context.Context, f *openFile, texts []line, clock event.Clock) error {
	f.done = texts[len(texts)-1].end
	t.reportCut(texts)
	lines := t.emitter.lines(texts)
	if len(lines) == 0 {
		return nil
	}
	if f == t.current {
		p, err := t.place(f)
		if err != nil {
			return err
		}
		t.committed = p
	}
	lease := t.cursor.Issue(t.committed)
	if !t.emitter.send(ctx, acquisition.Batch{Lines: lines, Clock: clock, Ack: lease.Ack}) {
		lease.Withdraw()
		return ctx.Err()
	}
	return nil
}

func (t *tail) reportCut(lines []line) {
	for _, l := range lines {
		if l.cut {
			t.log.Warn("line too long, cut", "path", t.path, "limit", maxLine)
		}
	}
}

// restartTruncated begins anew in a file that became shorter.
func (t *tail) restartTruncated(ctx context.Context) (bool, error) {
	truncated, err := t.current.truncated()
	if err != nil || !truncated || t.current.foreign {
		return false, err
	}
	t.log.Info("log file was truncated, reading it from its start", "path", t.path)
	if err := t.complete(ctx, t.current); err != nil {
		return false, err
	}
	if err := t.current.moveTo(0, t.emitter.now()); err != nil {
		return false, err
	}
	if err := t.passBacklog(); err != nil {
		return false, err
	}
	return true, t.mark()
}

// advance goes on to the next file when the current one is not at the path any more.
func (t *tail) advance(ctx context.Context) (bool, error) {
	info, err := os.Stat(t.path)
	if err == nil && identityOf(info) == t.current.identity {
		t.missing = time.Time{}
		return false, nil
	}
	if ignoreMissing(err) != nil {
		return false, err
	}
	// What was written before the name changed is all there is, but for late writers.
	if more, err := t.drain(ctx, t.current); err != nil || more {
		return more, err
	}
	file, err := openSuccessor(t.path, t.current.identity)
	if err != nil {
		return false, err
	}
	if file == nil {
		return t.giveUp(ctx)
	}
	return true, t.moveOn(ctx, file)
}

// moveOn follows the next file and keeps an eye on the current one.
func (t *tail) moveOn(ctx context.Context, next *os.File) error {
	if err := errors.Join(t.complete(ctx, t.current), t.passBacklog()); err != nil {
		return errors.Join(err, next.Close())
	}
	if t.current.foreign {
		t.release(t.current)
	} else {
		t.rotated = append(t.rotated, &leaving{t.current, t.emitter.now().Add(rotationGrace)})
	}
	return t.follow(next, place{})
}

// giveUp ends the tail when there has been no file to go on with for a while and nobody writes to the old one.
// A file at the path whose place after the current one could not be told is better than none.
func (t *tail) giveUp(ctx context.Context) (bool, error) {
	now := t.emitter.now()
	if t.missing.IsZero() {
		t.missing = now
	}
	if now.Sub(t.missing) < rotationGrace || now.Sub(t.current.active) < rotationGrace {
		return false, nil
	}
	if next, err := os.Open(t.path); err == nil {
		t.log.Warn("a rotated log file is missing, going on with the newest", "path", t.path)
		return true, t.moveOn(ctx, next)
	}
	if err := t.complete(ctx, t.current); err != nil {
		return false, err
	}
	t.release(t.current)
	t.current = nil
	return false, nil
}

// completeQuiet hands over a line without a newline that has waited long enough.
func (t *tail) completeQuiet(ctx context.Context, f *openFile) error {
	if f == nil || !f.waiting() || t.emitter.now().Sub(f.active) < t.quiet {
		return nil
	}
	return t.complete(ctx, f)
}

func (t *tail) complete(ctx context.Context, f *openFile) error {
	return t.deliver(ctx, f, f.splitter.flush(nil))
}

// patience returns how long nothing needs to be done without a wake-up.
func (t *tail) patience() time.Duration {
	now := t.emitter.now()
	wait := t.poll
	if !t.missing.IsZero() {
		wait = min(wait, t.missing.Add(rotationGrace).Sub(now))
	}
	for _, f := range t.rotated {
		wait = min(wait, f.until.Sub(now), t.poll)
	}
	if t.current != nil && t.current.waiting() {
		wait = min(wait, t.current.active.Add(t.quiet).Sub(now))
	}
	return max(wait, time.Millisecond)
}

// release closes a file and remembers how far it was read.
func (t *tail) release(f *openFile) {
	if p, err := t.place(f); err == nil && !f.foreign {
		t.inventory.release(t, p)
	}
	if err := f.file.Close(); err != nil {
		t.log.Debug("closing log file", "path", t.path, "error", err)
	}
}

func (t *tail) close() {
	for _, f := range t.rotated {
		t.release(f.openFile)
	}
	if t.current != nil {
		t.release(t.current)
	}
	t.inventory.leave(t)
	t.cursor.Release()
}
