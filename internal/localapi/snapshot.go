package localapi

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/stream"
	"shieldwall/internal/wire"
)

const (
	streamChunk = 64 << 10 // bytes that are written at once

	snapshotLife = time.Second // durations are told in whole seconds
	maxSnapshots = 8           // filters, of which an installation has few
	typicalEntry = 160         // bytes
	maxShared    = 32 << 20    // bytes of a snapshot that is kept as it is; a larger one is kept compressed only
)

// encoder writes an answer of the stream in the published layout.
type encoder struct {
	now   time.Time
	flush func(piece []byte) error
	piece []byte
}

func (e *encoder) write(answer stream.Answer) error {
	e.piece = append(make([]byte, 0, sizeOfPiece(&answer)), `{"new": [`...)
	if err := e.list(answer.New); err != nil {
		return err
	}
	e.piece = append(e.piece, `], "deleted": [`...)
	if err := e.list(answer.Deleted); err != nil {
		return err
	}
	return e.flush(append(e.piece, "]}"...))
}

// sizeOfPiece is enough for what is written at once. Most answers tell nothing, and cost no more than they need.
func sizeOfPiece(answer *stream.Answer) int {
	const frame = 32
	return min(frame+typicalEntry*(len(answer.New)+len(answer.Deleted)), streamChunk+streamChunk/4)
}

func (e *encoder) list(records []stream.Record) error {
	for i := range records {
		if i > 0 {
			e.piece = append(e.piece, ',')
		}
		decision := records[i].Decision()
		e.piece = wire.AppendStreamed(e.piece, &decision, e.now)
		if len(e.piece) < streamChunk {
			continue
		}
		if err := e.flush(e.piece); err != nil {
			return err
		}
		e.piece = e.piece[:0]
	}
	return nil
}

// snapshot is everything that is active for a filter at one instant, encoded once for all who ask for it.
type snapshot struct {
	answer  stream.Answer
	at      time.Time
	changed <-chan struct{} // closed when it is out of date
	asked   atomic.Bool     // by somebody
	plain   func() []byte   // nil when it is too large to keep
	packed  func() []byte
}

func newSnapshot(answer stream.Answer, at time.Time, changed <-chan struct{}) *snapshot {
	s := &snapshot{answer: answer, at: at, changed: changed}
	s.plain = sync.OnceValue(s.encode)
	s.packed = sync.OnceValue(s.compress)
	return s
}

// isFresh reports whether it still says what is.
func (s *snapshot) isFresh(now time.Time) bool {
	select {
	case <-s.changed:
		return false
	default:
		return now.Sub(s.at).Abs() < snapshotLife
	}
}

func (s *snapshot) encode() []byte {
	size := typicalEntry * (len(s.answer.New) + len(s.answer.Deleted))
	if size > maxShared {
		return nil
	}
	body := bytes.NewBuffer(make([]byte, 0, size+streamChunk))
	s.encodeInto(func(piece []byte) { body.Write(piece) })
	return body.Bytes()
}

func (s *snapshot) compress() []byte {
	var body bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&body, gzip.BestSpeed) // the level exists
	s.encodeInto(func(piece []byte) { _, _ = writer.Write(piece) })
	_ = writer.Close() // a buffer takes everything
	return body.Bytes()
}

func (s *snapshot) encodeInto(sink func(piece []byte)) {
	e := encoder{now: s.at, flush: func(piece []byte) error { sink(piece); return nil }}
	_ = e.write(s.answer) // its errors are those of the sink
}

// snapshots keeps those that were asked for lately. It is safe for concurrent use.
type snapshots struct {
	mu    sync.Mutex
	known map[string]*snapshot
}

// get returns a fresh snapshot for a filter: the one that another bouncer was sent, or a new one.
func (c *snapshots) get(index *stream.Index, filter stream.Filter, now time.Time) *snapshot {
	key := fmt.Sprintf("%#v", filter)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.known[key]; known != nil && known.isFresh(now) {
		return known
	}
	if c.known == nil || len(c.known) >= maxSnapshots {
		c.known = map[string]*snapshot{}
	}
	changed := index.Changed()
	made := newSnapshot(index.Startup(filter, now), now, changed)
	c.known[key] = made
	return made
}

// drop forgets snapshots that nobody will be sent any more.
func (c *snapshots) drop(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, known := range c.known {
		if !known.isFresh(now) {
			delete(c.known, key)
		}
	}
}

// streamSnapshot sends everything that is active for a bouncer.
func (s *Server) streamSnapshot(w http.ResponseWriter, r *http.Request, filter stream.Filter, bouncer domain.Bouncer) error {
	now := s.now().UTC()
	snapshot := s.snapshots.get(s.index, filter, now)
	time.AfterFunc(2*snapshotLife, func() { s.snapshots.drop(s.now()) })
	out := newStreamWriter(w, snapshot.at)
	out.announce(snapshot.answer)
	if err := out.snapshot(snapshot, takesGzip(r)); err != nil {
		return fmt.Errorf("writing the stream: %w", err)
	}
	s.notePull(r, bouncer, pull{at: snapshot.at, cursor: snapshot.answer.Cursor})
	return nil
}

// snapshot sends a snapshot in pieces. The first who asks is sent each piece as soon as it is encoded, and only
// when there is a second one it is encoded for all.
func (s *streamWriter) snapshot(from *snapshot, packed bool) error {
	s.w.Header().Set("Vary", "Accept-Encoding")
	if from.asked.CompareAndSwap(false, true) {
		return s.write(from.answer)
	}
	var body []byte
	if packed {
		s.w.Header().Set("Content-Encoding", "gzip")
		body = from.packed()
	} else if body = from.plain(); body == nil {
		return s.write(from.answer)
	}
	for piece := range slices.Chunk(body, streamChunk) {
		if err := s.send(piece); err != nil {
			return err
		}
	}
	return nil
}

// takesGzip reports whether the client asks for compressed answers.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(name, "gzip") && strings.ReplaceAll(parameters, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
