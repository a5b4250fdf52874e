package localapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
)

const (
	streamStall = time.Minute     // to write a piece of an answer
	afterCommit = 5 * time.Second // for what follows a success, whether the client waits or not
	maxWait     = time.Minute     // longer waits are shortened: proxies cut idle connections
)

// What follows is ours: a client that knows it can tell that an answer is complete and how far it goes.
const (
	revisionHeader = "X-Shieldwall-Revision" // last change of the decision log that the answer includes
	sinceHeader    = "X-Shieldwall-Since"    // change that the answer continues from; 0: it is everything that is active
	newHeader      = "X-Shieldwall-New"      // entries of "new"
	deletedHeader  = "X-Shieldwall-Deleted"  // entries of "deleted"
)

func (s *Server) streamDecisions(w http.ResponseWriter, r *http.Request, bouncer domain.Bouncer) error {
	q, err := queryOf(r)
	if err != nil {
		return err
	}
	filter, err := decisionFilter(q, []domain.Scope{domain.ScopeIP, domain.ScopeRange})
	if err != nil {
		return err
	}
	wait, err := waitOf(q)
	if err != nil {
		return err
	}
	if bouncer.Cursor, err = positionOf(q, bouncer); err != nil {
		return err
	}
	if err := s.meet(r.Context(), bouncer); err != nil {
		return err
	}
	if bouncer, err = s.noteStanding(r, bouncer, filter); err != nil {
		return err
	}
	if q.text("startup") == "true" {
		return s.streamSnapshot(w, r, filter, bouncer)
	}
	answer, now := s.awaitDelta(r.Context(), filter, bouncer, wait)
	if err := r.Context().Err(); err != nil {
		return fmt.Errorf("the bouncer has left: %w", err) // it must be told what it would have been told now
	}
	if err := s.recertify(r); err != nil {
		return err
	}
	out := newStreamWriter(w, now)
	out.announce(answer)
	if err := out.write(answer); err != nil {
		return fmt.Errorf("writing the stream: %w", err)
	}
	idle := answer.Cursor == bouncer.Cursor && answer.IsEmpty()
	s.notePull(r, bouncer, pull{now, answer.Cursor, idle})
	return nil
}

// waitOf returns for how long a request may be held open until there is something to tell.
func waitOf(q query) (time.Duration, error) {
	text := q.text("wait")
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 {
		return 0, fault.Errorf(fault.Invalid, "parameter 'wait' is not a duration such as 30s (=%s)", text)
	}
	return min(wait, maxWait), nil
}

// positionOf returns the change up to which the bouncer was told: what it says itself, if it does, because an
// answer may have been lost on its way.
func positionOf(q query, bouncer domain.Bouncer) (int64, error) {
	text := q.text("revision")
	if text == "" {
		return bouncer.Cursor, nil
	}
	revision, err := strconv.ParseInt(text, 10, 64)
	if err != nil || revision < 0 {
		return 0, fault.Errorf(fault.Invalid, "parameter 'revision' is not a revision (=%s)", text)
	}
	return revision, nil
}

// meet catches up with what another replica may have told the bouncer. It may have done so a moment ago, which the store
// does not know yet; telling less would take it back, and who remembers a later position than that would never tell
// it again. So nobody answers from the past.
func (s *Server) meet(ctx context.Context, bouncer domain.Bouncer) error {
	if s.cfg.Alone && bouncer.Cursor <= s.index.Seq() {
		return nil
	}
	return s.index.Sync(ctx)
}

// awaitDelta returns what changed for the bouncer, at the latest when the wait is over, the client gives up
// or the server stops.
func (s *Server) awaitDelta(ctx context.Context, filter stream.Filter, bouncer domain.Bouncer, wait time.Duration) (stream.Answer, time.Time) {
	if wait > 0 {
		defer s.index.Hurry()()
		defer s.metrics.waits()()
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		changed := s.index.Changed()
		now := s.now().UTC()
		answer := s.index.Delta(bouncer.Cursor, bouncer.LastPull, filter, now)
		if wait == 0 || !answer.IsEmpty() && !answer.Repeats {
			return answer, now
		}
		select {
		case <-changed:
		case <-over.C:
			wait = 0
		case <-s.stopping:
			wait = 0
		case <-ctx.Done():
			wait = 0
		}
	}
}

// pull is a complete answer that a bouncer was sent.
type pull struct {
	at     time.Time
	cursor int64
	idle   bool // it told nothing
}

// notePull moves the cursor of a bouncer that was sent a complete answer. If this process is killed before that is stored,
// the bouncer is told the same again.
func (s *Server) notePull(r *http.Request, bouncer domain.Bouncer, p pull) {
	change := store.BouncerChange{LastPull: &p.at}
	if !p.idle {
		change.Cursor = &p.cursor
	}
	s.bouncers.Note(bouncer, s.clientAddress(r), change)
}

// probeStream answers a HEAD: the key is good.
func (s *Server) probeStream(w http.ResponseWriter, _ *http.Request, _ domain.Bouncer) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// streamWriter writes an answer piece by piece, each within its own deadline: a snapshot of a million
// decisions may take a slow client long, but not stall.
type streamWriter struct {
	encoder

	w       http.ResponseWriter
	control *http.ResponseController
}

func newStreamWriter(w http.ResponseWriter, now time.Time) *streamWriter {
	w.Header().Set("Content-Type", "application/json")
	out := &streamWriter{w: w, control: http.NewResponseController(w)}
	out.encoder = encoder{now: now, flush: out.send}
	return out
}

func (s *streamWriter) announce(answer stream.Answer) {
	s.w.Header().Set(revisionHeader, strconv.FormatInt(answer.Cursor, 10))
	s.w.Header().Set(sinceHeader, strconv.FormatInt(answer.Since, 10))
	s.w.Header().Set(newHeader, strconv.Itoa(len(answer.New)))
	s.w.Header().Set(deletedHeader, strconv.Itoa(len(answer.Deleted)))
}

// send writes a piece and sees to it that it leaves.
func (s *streamWriter) send(piece []byte) error {
	deadline := time.Now().Add(streamStall) // of the connection, which knows no other clock
	if err := s.control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(piece); err != nil {
		return err
	}
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
