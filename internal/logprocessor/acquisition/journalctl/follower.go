package journalctl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

const (
	beginTimeout  = 10 * time.Second
	shortestPause = time.Second // before a program that ended is started again; doubled up to the longest
	longestPause  = 10 * time.Second

	// lateAfter is how old an entry may be for its lines to count as happening now. It leaves room for a reload and a
	// quick restart: their lines are better counted late by the wall clock than by their own time, which they may not
	// carry.
	lateAfter = time.Minute
)

// place is how far a journal has been read: what is kept as its checkpoint.
type place struct {
	// Cursor is that of the last entry handed over; "" is the beginning of the journal.
	Cursor string `json:"cursor"`
}

// follower follows the journal for ever.
type follower struct {
	*journal

	key    string // of its checkpoint
	begin  place  // where to begin, if it is not known
	begins bool   // begin is right
}

// newFollower notes where the journal ends that nobody has read: what is written from now on is read, however long it
// takes until Run begins.
func newFollower(j *journal) *follower {
	f := &follower{journal: j, key: Kind + ":" + j.settings.Labels["type"] + ":" + j.line.Src}
	if _, known := checkpoint.Stops[place](j.env.Checkpoints, f.key)[f.key]; known {
		return f
	}
	ctx, cancel := context.WithTimeout(context.Background(), beginTimeout)
	defer cancel()
	if err := f.findEnd(ctx); err != nil {
		f.log.Warn("the end of the journal is not known yet", "error", err)
	}
	return f
}

// findEnd asks for the last entry there is. Without one, reading begins with the first.
func (f *follower) findEnd(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running, err := startProgram(ctx, f.settings.program, f.settings.options.arguments("--lines=1"))
	if err != nil {
		return err
	}
	var last []entry
	if err := running.read(func(texts []raw) bool { last = append(last, f.parse(texts)...); return true }); err != nil {
		return err
	}
	if len(last) > 0 {
		f.begin.Cursor = last[len(last)-1].cursor
	}
	f.begins = true
	return nil
}

// Run satisfies acquisition.Source.
func (f *follower) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	cursor, err := checkpoint.Take[place](f.env.Checkpoints, f.key)
	if errors.Is(err, checkpoint.ErrTaken) {
		f.log.Error("this journal is followed already, with the same filters: nothing is read here", "error", err)
		<-ctx.Done()
		return nil
	}
	if err != nil {
		return err
	}
	defer cursor.Release()
	pause := shortestPause
	for {
		began := f.env.Now()
		err := f.follow(ctx, cursor, out)
		if ctx.Err() != nil {
			return nil // that is how reading ends, and no failure
		}
		if f.env.Now().Sub(began) > longestPause {
			pause = shortestPause
		}
		f.log.Warn("journalctl has ended, starting it again", "pause", pause, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// follow runs the program once, from where reading stopped.
func (f *follower) follow(ctx context.Context, cursor *checkpoint.Cursor[place], out chan<- acquisition.Batch) error {
	from, err := f.resume(ctx, cursor)
	if err != nil {
		return err
	}
	arguments := []string{"--follow", "--no-tail"}
	if from.Cursor != "" {
		arguments = append(arguments, "--after-cursor="+from.Cursor)
	}
	ctx, cancel := context.WithCancel(ctx)
	running, err := startProgram(ctx, f.settings.program, f.settings.options.arguments(arguments...))
	if err != nil {
		cancel()
		return err
	}
	f.log.Info("following the journal", "cursor", from.Cursor)
	texts, ended := make(chan []raw), make(chan error, 1)
	go func() {
		ended <- running.read(func(some []raw) bool { return hand(ctx, texts, some) })
	}()
	t := transfer{journal: f.journal, cursor: cursor, out: out}
	err = t.run(ctx, texts, ended)
	cancel()
	return errors.Join(err, <-ended)
}

func hand(ctx context.Context, to chan<- []raw, texts []raw) bool {
	select {
	case to <- texts:
		return true
	case <-ctx.Done():
		return false
	}
}

// resume returns the place where reading continues, which is known on disk from now on: after a crash, a journal that
// nobody remembers would be read from its end, and what was written since lost.
func (f *follower) resume(ctx context.Context, cursor *checkpoint.Cursor[place]) (place, error) {
	if stop, known := cursor.Last(); known {
		return stop.Position, nil
	}
	if !f.begins {
		if err := f.findEnd(ctx); err != nil {
			return place{}, fmt.Errorf("looking for the end of the journal: %w", err)
		}
	}
	cursor.Set(f.begin)
	if err := cursor.Save(); err != nil {
		f.log.Warn("place in the journal not saved yet", "error", err)
	}
	return f.begin, nil
}

// transfer hands over what one run of the program says.
type transfer struct {
	*journal

	cursor *checkpoint.Cursor[place]
	out    chan<- acquisition.Batch
}

// run ends when the program does, which leaves its reason in ended, or with ctx.
func (t *transfer) run(ctx context.Context, texts <-chan []raw, ended chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case some := <-texts:
			if !t.deliver(ctx, t.parse(some)) {
				return nil
			}
		case err := <-ended:
			ended <- err
			return errors.New("it was to follow for ever")
		}
	}
}

// deliver hands entries over in batches of one clock, each with the place after it. It reports false when ctx ended
// before anyone took them.
func (t *transfer) deliver(ctx context.Context, entries []entry) bool {
	now := t.env.Now()
	for len(entries) > 0 {
		clock := t.clockOf(entries[0], now)
		count := 1
		for count < len(entries) && t.clockOf(entries[count], now) == clock {
			count++
		}
		if !t.deliverBatch(ctx, entries[:count], clock) {
			return false
		}
		entries = entries[count:]
	}
	return true
}

// clockOf: what is read late happened when it says, not when it is read.
func (t *transfer) clockOf(e entry, now time.Time) event.Clock {
	if now.Sub(e.at) > lateAfter {
		return event.TimeMachine
	}
	return t.settings.Clock()
}

func (t *transfer) deliverBatch(ctx context.Context, entries []entry, clock event.Clock) bool {
	lines := t.lines(entries)
	if len(lines) == 0 {
		return true
	}
	lease := t.cursor.Issue(place{Cursor: entries[len(entries)-1].cursor})
	if !t.send(ctx, t.out, acquisition.Batch{Lines: lines, Clock: clock, Ack: lease.Ack}) {
		lease.Withdraw()
		return false
	}
	return true
}
