package file

import (
	"os"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

// shortPause is how long nobody may have read a log for what was written meanwhile to count as happening now.
// It leaves room for a reload and a quick restart: their lines are better counted late by the wall clock than
// by their own time, which they may not carry.
const shortPause = time.Minute

// backlog is what was written to a log during a long pause. Its lines happened when they say, not when they
// are read. It begins where reading does.
type backlog struct {
	last     identity // the file it ends in
	size     int64    // where it ends there
	measured time.Time
}

// resumed returns the place where reading continues now.
func resumed(stop checkpoint.Stop[place], now time.Time) place {
	p := stop.Position
	if now.Sub(stop.At).Abs() > shortPause { // a clock that was set back tells nothing
		p.Backlog = true
	}
	return p
}

// meetBacklog takes what is there now for backlog. A file that appeared while we were waiting for it is none.
func (t *tail) meetBacklog() error {
	if err := t.measureBacklog(); err != nil {
		return err
	}
	if !t.early() && t.backlog.last != t.current.identity {
		t.backlog.size = 0
	}
	if t.backlog.covers(t.current, t.current.done+1) {
		t.log.Info("reading the backlog of a log file by the time of its lines", "path", t.path)
	}
	return nil
}

// measureBacklog makes the backlog end where the log does now.
func (t *tail) measureBacklog() error {
	info, err := os.Stat(t.path)
	if ignoreMissing(err) != nil {
		return err
	}
	if err != nil { // the current file is all there is
		if info, err = t.current.file.Stat(); err != nil {
			return err
		}
	}
	t.backlog = &backlog{last: identityOf(info), size: info.Size(), measured: t.emitter.now()}
	return nil
}

// passBacklog is called when nothing of the backlog is left in the current file. When reading it took long,
// what was written meanwhile is backlog too.
func (t *tail) passBacklog() error {
	if t.backlog == nil || t.backlog.last != t.current.identity {
		return nil // or in files to come
	}
	if t.emitter.now().Sub(t.backlog.measured) > shortPause {
		return t.measureBacklog()
	}
	t.backlog = nil
	return nil
}

// caughtUp is called when there is nothing more to read now.
func (t *tail) caughtUp() error {
	if t.current == nil || t.current.foreign || !t.missing.IsZero() {
		return nil // the log may go on in a file that cannot be read yet
	}
	if exhausted, err := t.current.exhausted(); err != nil || !exhausted {
		return err // more came while nobody took what was read
	}
	defer t.cursor.Confirm()
	if t.backlog == nil {
		return nil
	}
	if t.current.waiting() {
		t.backlog.measured = t.emitter.now() // nothing but the rest of its last line is missing
		return nil
	}
	t.backlog = nil
	return t.mark()
}

// sameClock returns how many of the next lines, at least one, belong to one clock, and which.
func (t *tail) sameClock(f *openFile, lines []line) (int, event.Clock, error) {
	if f != t.current { // late lines of a file that has been read to its end
		return len(lines), t.emitter.clock, nil
	}
	if t.backlog != nil && !t.backlog.covers(f, lines[0].end) {
		if err := t.passBacklog(); err != nil {
			return 0, event.Live, err
		}
	}
	if t.backlog == nil || !t.backlog.covers(f, lines[0].end) {
		return len(lines), t.emitter.clock, nil
	}
	end := slices.IndexFunc(lines, func(l line) bool { return !t.backlog.covers(f, l.end) })
	if end < 0 {
		end = len(lines)
	}
	return end, event.TimeMachine, nil
}

// covers reports whether a line that ends there, in a file on the way to the end of the backlog, belongs to it.
func (b *backlog) covers(f *openFile, end int64) bool {
	return f.identity != b.last || end <= b.size
}
