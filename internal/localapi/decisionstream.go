package localapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
	"shieldwall/internal/wire"
)

const (
	streamChunk = 64 << 10        // bytes that are written at once
	streamStall = time.Minute     // to write them
	afterCommit = 5 * time.Second // for what follows a success, whether the client waits or not
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
	now := s.now().UTC()
	answer, err := s.answer(r.Context(), q, filter, bouncer, now)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	out := &streamWriter{w: w, control: http.NewResponseController(w), now: now}
	if err := out.write(answer); err != nil {
		return fmt.Errorf("writing the stream: %w", err)
	}
	s.notePull(r, bouncer, answer, now)
	return nil
}

func (s *Server) answer(ctx context.Context, q query, filter stream.Filter, bouncer domain.Bouncer, now time.Time) (stream.Answer, error) {
	if bouncer.Cursor > s.index.Seq() { // another replica has told more than this one knows yet
		if err := s.index.Sync(ctx); err != nil {
			return stream.Answer{}, err
		}
	}
	if q.text("startup") == "true" {
		return s.index.Startup(filter, now), nil
	}
	return s.index.Delta(bouncer.Cursor, bouncer.LastPull, filter, now), nil
}

// notePull moves the cursor of a bouncer that was sent a complete answer. Idle polls are noted once a minute,
// so that they cost the store nothing. When it fails the bouncer is told the same again.
func (s *Server) notePull(r *http.Request, bouncer domain.Bouncer, answer stream.Answer, now time.Time) {
	idle := answer.Cursor == bouncer.Cursor && len(answer.New) == 0 && len(answer.Deleted) == 0
	if idle && now.Sub(bouncer.LastPull) < pullNoted {
		return
	}
	// The client may hang up as soon as it has everything: that must not lose its cursor.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), afterCommit)
	defer cancel()
	change := store.BouncerChange{LastPull: &now, Cursor: &answer.Cursor}
	if err := s.bouncers.Update(ctx, bouncer, s.clientAddress(r), change); err != nil {
		s.log.WarnContext(ctx, "cursor not stored", "bouncer", bouncer.Name, "error", err)
	}
}

// probeStream answers a HEAD: the key is good.
func (s *Server) probeStream(w http.ResponseWriter, _ *http.Request, _ domain.Bouncer) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// streamWriter writes an answer piece by piece, each within its own deadline: a snapshot of a million
// decisions may take a slow client long, but not stall.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	now     time.Time
	buf     []byte
}

func (s *streamWriter) write(answer stream.Answer) error {
	s.buf = append(make([]byte, 0, 2*streamChunk), `{"new": [`...)
	if err := s.list(answer.New); err != nil {
		return err
	}
	s.buf = append(s.buf, `], "deleted": [`...)
	if err := s.list(answer.Deleted); err != nil {
		return err
	}
	s.buf = append(s.buf, "]}"...)
	return s.flush()
}

func (s *streamWriter) list(decisions []*domain.Decision) error {
	for i, decision := range decisions {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = wire.AppendStreamed(s.buf, decision, s.now)
		if len(s.buf) >= streamChunk {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *streamWriter) flush() error {
	deadline := time.Now().Add(streamStall) // of the connection, which knows no other clock
	if err := s.control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
