package localapi

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/allowlist"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

func (s *Server) createAlerts(w http.ResponseWriter, r *http.Request, machineID string) error {
	body, err := bodyOf(r, maxBody)
	if err != nil {
		return err
	}
	documents, err := wire.DecodeAlerts(body)
	if err != nil {
		return err
	}
	ids, err := s.take(r, documents, machineID)
	if err != nil {
		return err
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return writeJSON(w, http.StatusCreated, texts)
}

// take does what is done with alerts, whichever way they came, and returns the IDs of those that are stored now.
func (s *Server) take(r *http.Request, documents []wire.Alert, machineID string) ([]int64, error) {
	alerts, listed, err := s.judge(r.Context(), documents, machineID)
	if err != nil {
		return nil, err
	}
	ids, err := s.keep(r.Context(), alerts, machineID)
	if err != nil {
		return nil, err
	}
	s.reconsider(r.Context(), alerts, listed)
	for i := range alerts {
		if a := &alerts[i]; isManual(a) {
			s.noteMachine(r, machineID, "decisions.add", a.Scenario, len(a.Decisions))
		}
	}
	return ids, nil
}

// judge turns documents into alerts with their decisions, those that they brought or those of the profiles.
// Alerts about what is on an allowlist, and those whose decisions are all about nothing, are left out; listed is
// what was on allowlists, nil when they had no say. An error names the first alert to blame.
func (s *Server) judge(ctx context.Context, documents []wire.Alert, machineID string) (alerts []domain.Alert, listed *allowlist.Set, err error) {
	alerts = make([]domain.Alert, 0, len(documents))
	if slices.ContainsFunc(documents, func(document wire.Alert) bool { return isAboutSource(&document) }) {
		listed = s.freshAllowlists(ctx)
	}
	for i := range documents {
		if s.allows(ctx, &documents[i], listed) {
			continue
		}
		alert, err := s.judgeOne(ctx, &documents[i])
		if err != nil {
			return nil, nil, fault.Errorf(fault.KindOf(err), "alert %d: %w", i, err)
		}
		alert.MachineID = machineID
		if s.complete(ctx, &alert) {
			alerts = append(alerts, alert)
		}
	}
	return alerts, listed, nil
}

// isManual reports whether somebody, not a profile, has decided.
func isManual(alert *domain.Alert) bool {
	return len(alert.Decisions) > 0 && !isOfProfile(alert.Decisions[0].Origin)
}

func (s *Server) judgeOne(ctx context.Context, document *wire.Alert) (domain.Alert, error) {
	document.Source.Scope = string(domain.NormalizeScope(document.Source.Scope))
	if len(document.Decisions) == 0 {
		decisions, err := s.profiles.Load().Evaluate(ctx, document)
		if err != nil {
			return domain.Alert{}, err
		}
		document.Decisions = decisions
	}
	return document.ToDomain(s.now())
}

// complete gives alert its identities and drops decisions about addresses that are none. It returns false
// when that leaves nothing of an alert that had decisions.
func (s *Server) complete(ctx context.Context, alert *domain.Alert) bool {
	if uuid.Validate(alert.UUID) != nil {
		alert.UUID = s.newUUID()
	}
	before := len(alert.Decisions)
	alert.Decisions = slices.DeleteFunc(alert.Decisions, isAboutNothing)
	if dropped := before - len(alert.Decisions); dropped > 0 {
		s.log.WarnContext(ctx, "decisions without a valid address discarded",
			"machine", alert.MachineID, "scenario", alert.Scenario, "discarded", dropped, "kept", len(alert.Decisions))
	}
	for i := range alert.Decisions {
		alert.Decisions[i].UUID = s.newUUID()
	}
	return before == 0 || len(alert.Decisions) > 0
}

func isAboutNothing(decision domain.Decision) bool {
	if !decision.Scope.IsAddress() {
		return false
	}
	_, err := domain.ParseIPRange(decision.Value)
	return err != nil
}

// keep stores alerts and makes their decisions visible to the next reader.
func (s *Server) keep(ctx context.Context, alerts []domain.Alert, machineID string) ([]int64, error) {
	if len(alerts) == 0 {
		return nil, nil
	}
	ids, err := s.store.AddAlerts(ctx, alerts)
	if err != nil {
		return nil, err
	}
	s.catchUp(ctx)
	now := s.now()
	s.logAlerts(ctx, alerts, now)
	s.presence.NoteMachine(machineID, store.MachineChange{LastPush: &now})
	return ids, nil
}

// catchUp makes what was just committed visible, also when the client has hung up by now. When that fails
// the commit stands, and the index follows by itself a moment later.
func (s *Server) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterCommit)
	defer cancel()
	if err := s.index.Sync(ctx); err != nil {
		s.log.WarnContext(ctx, "index not caught up after a write", "error", err)
	}
}

func (s *Server) logAlerts(ctx context.Context, alerts []domain.Alert, now time.Time) {
	if !s.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	for i := range alerts {
		a := &alerts[i]
		attrs := []any{
			"machine", a.MachineID, "scenario", a.Scenario, "scope", a.Source.Scope, "value", a.Source.Value,
			"country", a.Source.Country, "as_number", a.Source.ASNumber, "decisions", len(a.Decisions),
		}
		if len(a.Decisions) > 0 {
			d := &a.Decisions[0]
			attrs = append(attrs, "origin", d.Origin, "type", d.Type, "duration", d.Until.Sub(now).Round(time.Second))
		}
		s.log.InfoContext(ctx, "alert stored", attrs...)
	}
}
