package localapi

import (
	"net/http"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
	"shieldwall/internal/wire"
)

// silence is how long a component that reports may not have been heard of before nobody knows what it enforces.
// It asks again at least every half a minute.
const silence = 2 * time.Minute

// noteStanding takes down what a component says of its work with its request, if it does, and returns the bouncer
// as it is known now.
func (s *Server) noteStanding(r *http.Request, bouncer domain.Bouncer, filter stream.Filter) (domain.Bouncer, error) {
	text := r.Header.Get(wire.StandingHeader)
	if text == "" {
		return bouncer, nil
	}
	said, err := wire.DecodeStanding(text)
	if err != nil {
		return bouncer, err
	}
	bouncer.Standing = domain.Standing{
		Applied: said.Applied, Verified: said.Verified, VerifiedAt: said.VerifiedAt,
		Wanted: said.Wanted, Missing: said.Missing, Stale: said.Stale, Foreign: said.Foreign,
		Selection: domain.Selection{
			Types: said.Types, IPv4: said.IPv4, IPv6: said.IPv6, Scopes: filter.Scopes, Origins: filter.Origins,
			ScenariosContaining: filter.ScenariosContaining, ScenariosNotContaining: filter.ScenariosNotContaining,
		},
	}
	s.bouncers.Note(bouncer, s.clientAddress(r), store.BouncerChange{Standing: &bouncer.Standing})
	return bouncer, nil
}

// showEnforcement answers on which components a decision is enforced.
func (s *Server) showEnforcement(w http.ResponseWriter, r *http.Request, _ string) error {
	id, err := pathID(r, "decision_id")
	if err != nil {
		return err
	}
	if err := s.index.Sync(r.Context()); err != nil {
		return err
	}
	now := s.now().UTC()
	record, revision, ok := s.index.Locate(id, now)
	if !ok {
		return fault.Errorf(fault.NotFound, "no active decision with id '%d'", id)
	}
	bouncers, err := s.store.Bouncers(r.Context(), store.BouncerFilter{})
	if err != nil {
		return err
	}
	for i := range bouncers {
		bouncers[i] = s.presence.Amend(bouncers[i])
	}
	return writeJSON(w, http.StatusOK, enforcementOf(record.Decision(), revision, bouncers, now))
}

// enforcementOf tells how far a decision, made by the change revision, got on each bouncer that has ever followed
// the decisions.
func enforcementOf(decision domain.Decision, revision int64, bouncers []domain.Bouncer, now time.Time) wire.Enforcement {
	e := wire.Enforcement{DecisionID: decision.ID, Revision: revision, Components: []wire.ComponentEnforcement{}}
	for i := range bouncers {
		b := &bouncers[i]
		if b.Revoked || b.Cursor == 0 && !b.Standing.IsReported() {
			continue
		}
		state := enforcementState(decision, revision, b, now)
		switch state {
		case wire.EnforcementVerified:
			e.Enforced++
		case wire.EnforcementApplied:
			e.Applied++
		case wire.EnforcementPulled:
			e.Pulled++
		case wire.EnforcementPending, wire.EnforcementSilent, wire.EnforcementExcluded:
		}
		e.Components = append(e.Components, wire.ComponentEnforcement{
			Name: b.Name, Type: b.Type, State: state, Reports: b.Standing.IsReported(), VerifiedAt: b.Standing.VerifiedAt, LastPull: b.LastPull,
		})
	}
	return e
}

func enforcementState(decision domain.Decision, revision int64, b *domain.Bouncer, now time.Time) wire.EnforcementState {
	switch standing := b.Standing; {
	case standing.IsReported() && !standing.Selection.Includes(decision):
		return wire.EnforcementExcluded
	case standing.IsReported() && now.Sub(b.LastPull) > silence:
		return wire.EnforcementSilent
	case standing.IsReported() && standing.Verified >= revision:
		return wire.EnforcementVerified
	case standing.IsReported() && standing.Applied >= revision:
		return wire.EnforcementApplied
	case b.Cursor >= revision:
		return wire.EnforcementPulled
	case now.Sub(b.LastPull) > silence:
		return wire.EnforcementSilent
	}
	return wire.EnforcementPending
}
