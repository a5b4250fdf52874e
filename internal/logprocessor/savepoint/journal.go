package savepoint

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// formatVersion is the first line of a journal, {"buckets": formatVersion}. Each further line is one record:
// the event of one or more buckets, a change of a bucket, a silence, or the end of a save point. A bucket
// names its events by their numbers, which begin with 0 after each save point.
const formatVersion = 1

// record is a line as it is read; one field is set.
type record struct {
	Version int          `json:"buckets"`
	Event   *savedEvent  `json:"event"`
	Bucket  *savedBucket `json:"bucket"`
	Silence *savedKey    `json:"silence"`
	Turned  *int64       `json:"turned"` // ends a save point
}

type savedKey struct {
	Scenario string      `json:"scenario"`
	Group    string      `json:"group"`
	Clock    event.Clock `json:"clock"`
	Until    time.Time   `json:"until"` // of a silence
}

type savedBucket struct {
	savedKey
	Gone     bool      `json:"gone"`
	New      bool      `json:"new"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	LeakedAt time.Time `json:"leaked_at"`
	Deadline time.Time `json:"deadline"`
	Total    int       `json:"total"`
	Tokens   float64   `json:"tokens"`
	Evidence []bool    `json:"evidence"`
	Kept     int       `json:"kept"`
	Added    []int     `json:"added"`
	Seen     []string  `json:"seen"`
}

func header() []byte { return fmt.Appendf(nil, "{\"buckets\":%d}\n", formatVersion) }

// appendChanges appends the records of one save point.
func appendChanges(dst []byte, changes bucket.Changes) ([]byte, error) {
	w := writer{bytes: dst, numbers: map[*event.Event]int{}}
	for i := range changes.Buckets {
		if err := w.bucket(&changes.Buckets[i]); err != nil {
			return nil, err
		}
	}
	for _, silence := range changes.Silences {
		w.silence(silence)
	}
	w.bytes = append(strconv.AppendInt(append(w.bytes, `{"turned":`...), changes.Turned, 10), "}\n"...)
	return w.bytes, nil
}

// writer writes the records of one save point.
type writer struct {
	bytes   []byte
	numbers map[*event.Event]int // of the events that are written
}

func (w *writer) bucket(change *bucket.Change) error {
	for _, evt := range change.Added {
		if err := w.event(evt); err != nil {
			return err
		}
	}
	o := object{bytes: append(w.bytes, `{"bucket":`...)}
	o.open()
	o.text("scenario", change.Key.Scenario)
	o.text("group", change.Key.Group)
	o.int("clock", int(change.Clock))
	o.bool("gone", change.Gone)
	o.bool("new", change.New)
	o.time("first", change.First)
	o.time("last", change.Last)
	o.time("leaked_at", change.LeakedAt)
	o.time("deadline", change.Deadline)
	o.int("total", change.Total)
	if change.Tokens != 0 {
		o.key("tokens")
		o.bytes = strconv.AppendFloat(o.bytes, change.Tokens, 'g', -1, 64)
	}
	list(&o, "evidence", change.Evidence, strconv.AppendBool)
	o.int("kept", change.Kept)
	list(&o, "added", change.Added, func(dst []byte, evt *event.Event) []byte {
		return strconv.AppendInt(dst, int64(w.numbers[evt]), 10)
	})
	list(&o, "seen", change.Seen, appendText)
	o.close()
	w.bytes = append(o.bytes, "}\n"...)
	return nil
}

// event writes an event that is not written yet.
func (w *writer) event(evt *event.Event) error {
	if _, written := w.numbers[evt]; written {
		return nil
	}
	w.numbers[evt] = len(w.numbers)
	text, err := appendEvent(append(w.bytes, `{"event":`...), evt)
	w.bytes = append(text, "}\n"...)
	return err
}

func (w *writer) silence(silence bucket.Silence) {
	o := object{bytes: append(w.bytes, `{"silence":`...)}
	o.open()
	o.text("scenario", silence.Key.Scenario)
	o.text("group", silence.Key.Group)
	o.int("clock", int(silence.Clock))
	o.time("until", silence.Until)
	o.close()
	w.bytes = append(o.bytes, "}\n"...)
}

var errJournal = errors.New("not a journal of buckets")

// readJournal returns a store in which everything has happened that a journal tells of.
func readJournal(from io.Reader, now time.Time) (*bucket.Store, error) {
	r := reader{lines: bufio.NewReader(from), store: bucket.NewStore(now)}
	if err := r.header(); err != nil {
		return nil, err
	}
	for {
		one, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && r.clean():
			return r.store, nil
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
		if err := r.take(one); err != nil {
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
	}
}

// reader reads a journal.
type reader struct {
	lines   *bufio.Reader
	line    int
	store   *bucket.Store
	events  []*event.Event // of the save point that is being read
	changes bucket.Changes // as above
}

// clean reports whether a save point has just ended.
func (r *reader) clean() bool {
	return len(r.events)+len(r.changes.Buckets)+len(r.changes.Silences) == 0
}

func (r *reader) header() error {
	first, err := r.next()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errJournal, err)
	case first.Version != formatVersion:
		return fmt.Errorf("%w: version %d is not %d", errJournal, first.Version, formatVersion)
	}
	return nil
}

// next returns io.EOF after the last line, and an error for one without a newline.
func (r *reader) next() (*record, error) {
	r.line++
	text, err := r.lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(text) > 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	one := &record{}
	return one, json.Unmarshal(text, one)
}

func (r *reader) take(one *record) (err error) {
	switch {
	case one.Event != nil:
		var evt *event.Event
		evt, err = one.Event.event()
		r.events = append(r.events, evt)
	case one.Bucket != nil:
		var change bucket.Change
		change, err = r.change(one.Bucket)
		r.changes.Buckets = append(r.changes.Buckets, change)
	case one.Silence != nil:
		var key bucket.Key
		key, err = one.Silence.key()
		r.changes.Silences = append(r.changes.Silences, bucket.Silence{Key: key, Clock: one.Silence.Clock, Until: one.Silence.Until})
	case one.Turned != nil:
		r.changes.Turned = *one.Turned
		err = r.store.Apply(r.changes)
		r.events, r.changes = nil, bucket.Changes{}
	default:
		err = errJournal
	}
	return err
}

func (r *reader) change(saved *savedBucket) (bucket.Change, error) {
	change := bucket.Change{
		Gone: saved.Gone, New: saved.New, Clock: saved.Clock, First: saved.First, Last: saved.Last, LeakedAt: saved.LeakedAt,
		Deadline: saved.Deadline, Total: saved.Total, Tokens: saved.Tokens, Evidence: saved.Evidence, Kept: saved.Kept,
	}
	var err error
	if change.Key, err = saved.key(); err != nil {
		return change, err
	}
	for _, number := range saved.Added {
		if number < 0 || number >= len(r.events) {
			return change, fmt.Errorf("event %d of %d", number, len(r.events))
		}
		change.Added = append(change.Added, r.events[number])
	}
	for _, value := range saved.Seen {
		text, err := plain(value)
		if err != nil {
			return change, err
		}
		change.Seen = append(change.Seen, text)
	}
	return change, nil
}

func (k *savedKey) key() (key bucket.Key, err error) {
	err = errors.Join(unescape(&key.Scenario, k.Scenario), unescape(&key.Group, k.Group))
	return key, err
}
