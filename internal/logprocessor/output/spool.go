package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/atomicfile"
	"shieldwall/internal/wire"
)

// Options bound a spool. Zero values take the defaults.
type Options struct {
	MaxAlerts    int                   // waiting for delivery; default 100,000
	MaxBytes     int64                 // of waiting alerts; default 256 MiB
	SegmentBytes int64                 // a file of the spool is closed beyond it; default 4 MiB
	NewUUID      func() string         // default random ones
	Now          func() time.Time      // default time.Now
	Metrics      prometheus.Registerer // nil counts for nobody
}

const (
	defaultMaxAlerts    = 100_000
	defaultMaxBytes     = 256 << 20
	defaultSegmentBytes = 4 << 20

	deliveredName = "delivered"
	lockName      = "lock"
)

// Spool keeps accepted alerts on disk until they are delivered. It is safe for concurrent use.
type Spool struct {
	dir     string
	options Options
	log     *slog.Logger
	metrics *metrics
	aside   shelf
	lock    *os.File
	place   *os.File      // says how far it is delivered
	changed chan struct{} // holds a value when alerts were accepted since it was last empty

	mu        sync.Mutex
	waiting   []entry // oldest first
	bytes     int64   // of waiting
	next      uint64  // number of the next record
	delivered uint64  // no record up to this number needs sending
	segments  []*segment
	active    *os.File // the last of segments, nil when the next record begins a new one
}

// segment is one file of records.
type segment struct {
	path    string
	size    int64
	waiting int
}

// entry says where a waiting record is.
type entry struct {
	number  uint64
	segment *segment
	offset  int64
	size    int64 // newline included
}

// Open opens the spool in dir, making the folder if needed. Alerts that were accepted before and not
// delivered wait again, in their order. Exists says that another process, or another Spool, uses the folder.
func Open(dir string, options Options, log *slog.Logger) (*Spool, error) {
	s := &Spool{
		dir:     dir,
		options: options.withDefaults(),
		log:     log,
		aside:   shelf{filepath.Join(dir, "rejected"), log},
		changed: make(chan struct{}, 1),
		next:    1,
	}
	if err := os.MkdirAll(s.aside.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making spool: %w", err)
	}
	if err := s.acquire(); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	var err error
	if s.metrics, err = newMetrics(s, options.Metrics); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	if len(s.waiting) > 0 {
		log.Info("alerts of an earlier run wait for delivery", "count", len(s.waiting))
		s.announce()
	}
	return s, nil
}

// Accept gives every alert without one a UUID and returns nil when all are on disk. The alerts themselves
// are not changed or kept. When the spool is full the first ones that fit are accepted and the error is
// Unavailable; after any other error none was accepted.
func (s *Spool) Accept(ctx context.Context, alerts []*wire.Alert) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded := make([][]byte, len(alerts))
	for i, alert := range alerts {
		numbered := *alert
		if numbered.UUID == "" {
			numbered.UUID = s.options.NewUUID()
		}
		text, err := json.Marshal(numbered)
		if err != nil {
			return fmt.Errorf("encoding alert of %s: %w", alert.Scenario, err)
		}
		encoded[i] = text
	}
	accepted, err := s.append(encoded)
	if err != nil {
		return fmt.Errorf("spooling alerts: %w", err)
	}
	if accepted > 0 {
		s.announce()
	}
	s.metrics.accepted.Add(float64(accepted))
	if refused := len(alerts) - accepted; refused > 0 {
		s.metrics.refused.Add(float64(refused))
		return fault.Errorf(fault.Unavailable, "spool is full: %d of %d alerts refused", refused, len(alerts))
	}
	return nil
}

// Len returns the number of alerts that wait for delivery.
func (s *Spool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// Close lets another process use the folder. What waits stays on disk. The spool must not be used after.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics.unregister(s.options.Metrics)
	return errors.Join(s.closeActive(), s.closeFiles())
}

func (s *Spool) closeFiles() error {
	err := s.lock.Close()
	if s.place != nil {
		err = errors.Join(err, s.place.Close())
	}
	return err
}

func (o Options) withDefaults() Options {
	if o.MaxAlerts <= 0 {
		o.MaxAlerts = defaultMaxAlerts
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.NewUUID == nil {
		o.NewUUID = uuid.NewString
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// acquire keeps a second process from using the folder. The kernel lets go when this one ends.
func (s *Spool) acquire() error {
	lock, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking spool: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		err = fault.Errorf(fault.Exists, "spool %s is in use: %w", s.dir, err)
		return errors.Join(err, lock.Close())
	}
	s.lock = lock
	return nil
}

// append writes as many alerts as fit, in one write, and makes them wait.
func (s *Spool) append(alerts [][]byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []byte
	var entries []entry
	for _, alert := range alerts {
		begin := len(text)
		number := s.next + uint64(len(entries))
		text = encodeRecord(text, number, alert)
		if len(s.waiting)+len(entries) >= s.options.MaxAlerts || s.bytes+int64(len(text)) > s.options.MaxBytes {
			text = text[:begin]
			break
		}
		entries = append(entries, entry{number: number, offset: int64(begin), size: int64(len(text) - begin)})
	}
	if len(entries) == 0 {
		return 0, nil
	}
	if err := s.write(text, entries); err != nil {
		return 0, err
	}
	return len(entries), nil
}

// write puts records on disk and into the queue.
func (s *Spool) write(text []byte, entries []entry) error {
	if err := s.openActive(); err != nil {
		return err
	}
	segment := s.segments[len(s.segments)-1]
	_, err := s.active.Write(text)
	if err = errors.Join(err, s.active.Sync()); err != nil {
		return errors.Join(err, s.abandon(segment, len(entries)))
	}
	for _, entry := range entries {
		entry.segment = segment
		entry.offset += segment.size
		s.enqueue(entry)
	}
	segment.size += int64(len(text))
	return nil
}

// abandon closes the file that is being written after a failure. What of the last write reached the disk is
// unknown, so it is taken back, and in case that fails too its numbers are never used again.
func (s *Spool) abandon(last *segment, numbers int) error {
	s.next += uint64(numbers) //nolint:gosec // a count
	err := errors.Join(s.active.Truncate(last.size), s.closeActive())
	if last.size > 0 {
		return err
	}
	s.segments = s.segments[:len(s.segments)-1]
	return errors.Join(err, os.Remove(last.path))
}

func (s *Spool) enqueue(e entry) {
	e.segment.waiting++
	s.waiting = append(s.waiting, e)
	s.bytes += e.size
	s.next = e.number + 1
}

// openActive makes sure that there is a file to append to.
func (s *Spool) openActive() error {
	if s.active != nil && s.segments[len(s.segments)-1].size < s.options.SegmentBytes {
		return nil
	}
	if err := s.closeActive(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, fmt.Sprintf("%016d%s", s.next, segmentSuffix))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in our own folder
	if err != nil {
		return err
	}
	if err := atomicfile.SyncDir(s.dir); err != nil {
		return errors.Join(err, file.Close())
	}
	s.active = file
	s.segments = append(s.segments, &segment{path: path})
	return nil
}

func (s *Spool) closeActive() error {
	if s.active == nil {
		return nil
	}
	file := s.active
	s.active = nil
	return file.Close()
}

// announce wakes the deliverer.
func (s *Spool) announce() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// waitingAlert is a waiting record.
type waitingAlert struct {
	number uint64
	alert  []byte // JSON
}

// head returns the oldest waiting alerts, at least one if any waits, at most maxAlerts, and no more after
// maxBytes. Damaged records are set aside on the way.
func (s *Spool) head(maxAlerts int, maxBytes int64) ([]waitingAlert, error) {
	for {
		entries := s.headEntries(maxAlerts, maxBytes)
		if len(entries) == 0 {
			return nil, nil
		}
		alerts, err := s.read(entries)
		if err != nil {
			return nil, fmt.Errorf("reading spool: %w", err)
		}
		if len(alerts) > 0 {
			return alerts, nil
		}
		if err := s.commit(entries[len(entries)-1].number); err != nil {
			return nil, err
		}
	}
}

// read returns the alerts of records that follow each other, without the damaged ones.
func (s *Spool) read(entries []entry) ([]waitingAlert, error) {
	alerts := make([]waitingAlert, 0, len(entries))
	for len(entries) > 0 {
		count := sameSegment(entries)
		texts, err := readRecords(entries[:count])
		if err != nil {
			return nil, err
		}
		for i, entry := range entries[:count] {
			number, alert, err := openRecord(texts[i])
			if err != nil {
				s.log.Warn("damaged record of the spool is set aside", "number", entry.number, "error", err)
				s.aside.putDamaged(filepath.Base(entry.segment.path), entry.offset, texts[i])
				continue
			}
			alerts = append(alerts, waitingAlert{number, alert})
		}
		entries = entries[count:]
	}
	return alerts, nil
}

// sameSegment returns how many of the first entries are in one file.
func sameSegment(entries []entry) int {
	count := slices.IndexFunc(entries, func(e entry) bool { return e.segment != entries[0].segment })
	if count < 0 {
		return len(entries)
	}
	return count
}

func (s *Spool) headEntries(maxAlerts int, maxBytes int64) []entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var total int64
	for i, entry := range s.waiting {
		total += entry.size
		if i == maxAlerts || i > 0 && total > maxBytes {
			return slices.Clone(s.waiting[:i])
		}
	}
	return slices.Clone(s.waiting)
}

// commit says that no record up to a number needs sending any more. Files that hold nothing else are
// removed.
func (s *Spool) commit(number uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 && s.waiting[0].number <= number {
		s.bytes -= s.waiting[0].size
		s.waiting[0].segment.waiting--
		s.waiting = s.waiting[1:]
	}
	s.delivered = max(s.delivered, number)
	if err := s.writeDelivered(); err != nil {
		return err
	}
	return s.removeEmpty()
}

// removeEmpty removes files without waiting records, but for the one that is being written.
func (s *Spool) removeEmpty() error {
	kept := s.segments[:0:0]
	var errs []error
	for i, segment := range s.segments {
		if segment.waiting > 0 || s.active != nil && i == len(s.segments)-1 {
			kept = append(kept, segment)
			continue
		}
		if err := os.Remove(segment.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			kept = append(kept, segment)
		}
	}
	s.segments = kept
	return errors.Join(errs...)
}

// readRecords returns the records of entries that are in one file, without their newlines; those of a file that
// somebody removed are empty.
func readRecords(entries []entry) ([][]byte, error) {
	texts := make([][]byte, len(entries))
	file, err := os.Open(entries[0].segment.path)
	if errors.Is(err, fs.ErrNotExist) {
		return texts, nil
	}
	if err != nil {
		return nil, err
	}
	for i, entry := range entries {
		text := make([]byte, entry.size)
		n, err := file.ReadAt(text, entry.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(err, file.Close())
		}
		texts[i] = bytes.TrimSuffix(text[:n], []byte{'\n'})
	}
	return texts, file.Close()
}
