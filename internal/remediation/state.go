package remediation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/platform/atomicfile"
)

const (
	stateHead = "crowdsec-firewall-bouncer state 1 "
	// saveEvery is the least time between two writings; a long one takes a smaller share of the time.
	saveEvery = 5 * time.Second
	saveShare = 20
	// maxState bounds the file, in bytes: some five million bans.
	maxState = 512 << 20
)

// Record is one line of the desired state on disk.
type Record struct {
	Until  time.Time // the zero time is never
	Value  domain.IPRange
	Scope  domain.Scope
	Type   string
	Origin string // as labels have it
}

// recall takes note of a record. The error says why it is left out.
func (d *Desired) recall(record Record) error {
	r, err := d.rule(kind{record.Scope, record.Type, record.Origin}, record.Value)
	if err != nil {
		return err
	}
	d.hold(r, record.Until)
	return nil
}

// records returns the desired state as text: a line for each decision that is in force at now.
func (d *Desired) records(now time.Time) []byte {
	const bytesPerRecord = 56
	count := 0
	for _, held := range d.sets {
		count += held.count()
	}
	text := make([]byte, 0, bytesPerRecord*count)
	for _, held := range d.sets {
		for element, number := range held.all(now) {
			kind := held.kinds[number].Value()
			text = appendRecord(text, Record{element.Until, element.IPRange, kind.scope, kind.typ, kind.origin})
		}
	}
	return text
}

func appendRecord(text []byte, r Record) []byte {
	if r.Until.IsZero() {
		text = append(text, '-')
	} else {
		text = strconv.AppendInt(text, r.Until.UnixMilli(), 10)
	}
	text = append(text, '\t')
	if r.Value.First == r.Value.Last {
		text = r.Value.First.AppendTo(text)
	} else {
		text = append(text, Text(r.Value)...)
	}
	for _, field := range []string{string(r.Scope), r.Type, r.Origin} {
		text = append(text, '\t')
		text = strconv.AppendQuote(text, field)
	}
	return append(text, '\n')
}

// DecodeState reads what EncodeState wrote for the same owner. Lines that make no sense are an error: the
// rest of a file that somebody has tampered with is not believed either.
func DecodeState(text []byte, owner string) ([]Record, error) {
	body, ok := bytes.CutPrefix(text, []byte(stateHead+strconv.Quote(owner)+"\n"))
	if !ok {
		return nil, errors.New("it belongs to another api or configuration")
	}
	var records []Record
	number := 1
	for line := range bytes.Lines(body) {
		number++
		record, err := parseRecord(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		records = append(records, record)
	}
	return records, nil
}

const recordFields = 5

func parseRecord(line []byte) (Record, error) {
	line, whole := bytes.CutSuffix(line, []byte("\n"))
	fields := bytes.Split(line, []byte("\t"))
	if !whole || len(fields) != recordFields {
		return Record{}, fmt.Errorf("%d fields", len(fields))
	}
	var r Record
	if text := string(fields[0]); text != "-" {
		until, err := strconv.ParseInt(text, 10, 64)
		if err != nil || until <= 0 || until > math.MaxInt64/int64(time.Millisecond) {
			return Record{}, fmt.Errorf("end %q", text)
		}
		r.Until = time.UnixMilli(until)
	}
	var err error
	if r.Value, err = domain.ParseIPRange(string(fields[1])); err != nil {
		return Record{}, err
	}
	texts := make([]string, recordFields-2)
	for i, field := range fields[2:] {
		if texts[i], err = strconv.Unquote(string(field)); err != nil {
			return Record{}, fmt.Errorf("field %q: %w", field, err)
		}
	}
	r.Scope, r.Type, r.Origin = domain.Scope(texts[0]), texts[1], texts[2]
	return r, nil
}

// EncodeState returns the desired state as text for DecodeState. Owner says whose it is.
func (d *Desired) EncodeState(owner string, now time.Time) []byte {
	return append([]byte(stateHead+strconv.Quote(owner)+"\n"), d.records(now)...)
}

// Memory keeps what is desired on disk, so that a machine that starts without its Local API enforces what
// was known last. Only what the Local API has told is written.
type Memory struct {
	enforcer *Enforcer
	path     string
	owner    string
	log      *slog.Logger
	saved    int // changes of the desired state that are on disk
}

// NewMemory returns a Memory in the file path, whose folder is made when something is saved. Owner tells
// apart the states of several configurations: a file of another owner is not believed.
func NewMemory(enforcer *Enforcer, path, owner string, log *slog.Logger) *Memory {
	return &Memory{enforcer: enforcer, path: path, owner: owner, log: log}
}

// Load hands what is on disk to the Enforcer. That there is none, or none that can be read, is no error.
func (m *Memory) Load(ctx context.Context) {
	records, err := m.read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		m.log.WarnContext(ctx, "the last known state is not believed", "path", m.path, "error", err)
	default:
		m.enforcer.Recall(records)
	}
}

func (m *Memory) read() ([]Record, error) {
	info, err := os.Stat(m.path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxState {
		return nil, fmt.Errorf("it has %d bytes", info.Size())
	}
	text, err := os.ReadFile(m.path)
	if err != nil {
		return nil, err
	}
	return DecodeState(text, m.owner)
}

// Run saves what has changed, every few seconds, until ctx ends, and a last time then. That it cannot is
// said once for each reason.
func (m *Memory) Run(ctx context.Context) {
	pause, complaint := saveEvery, ""
	for {
		stopped := wait(ctx, pause) != nil
		begin := time.Now()
		err := m.save()
		if err != nil && err.Error() != complaint {
			m.log.WarnContext(ctx, "what is desired cannot be kept on disk", "error", err)
			complaint = err.Error()
		}
		if stopped {
			return
		}
		pause = max(saveEvery, saveShare*time.Since(begin))
	}
}

func (m *Memory) save() error {
	text, changes := m.enforcer.state(m.owner, m.saved)
	if text == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil { //nolint:mnd // only the owner
		return fmt.Errorf("making its folder: %w", err)
	}
	if err := atomicfile.Write(m.path, text, 0o600); err != nil { //nolint:mnd // only the owner
		return err
	}
	m.saved = changes
	return nil
}

// state returns the desired state for the file, and how often it has changed; nil when it is not the Local
// API's, or is that of the saved number of changes.
func (e *Enforcer) state(owner string, saved int) (text []byte, changes int) {
	desired, changes := e.changed(saved)
	if desired == nil {
		return nil, 0
	}
	return desired.EncodeState(owner, e.now()), changes
}

// changed returns a copy of the desired state: writing it as text takes too long to keep decisions waiting.
func (e *Enforcer) changed(saved int) (desired *Desired, changes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known != told || e.changes == saved {
		return nil, 0
	}
	return e.desired.clone(), e.changes
}
