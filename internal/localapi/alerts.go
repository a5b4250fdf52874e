package localapi

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

// defaultAlerts is how many alerts are listed when the request does not say.
const defaultAlerts = 100

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request, _ string) error {
	q, err := queryOf(r)
	if err != nil {
		return err
	}
	now := s.now().UTC()
	filter, err := alertFilter(q, now)
	if err != nil {
		return err
	}
	alerts, err := s.store.Alerts(r.Context(), filter)
	if err != nil {
		return err
	}
	var documents []wire.Alert // null when there are none
	for i := range alerts {
		documents = append(documents, wire.FromAlert(&alerts[i], now))
	}
	return writeFound(w, r, documents)
}

func (s *Server) showAlert(w http.ResponseWriter, r *http.Request, _ string) error {
	id, err := pathID(r, "alert_id")
	if err != nil {
		return err
	}
	alert, err := s.store.Alert(r.Context(), id)
	if fault.Is(err, fault.NotFound) {
		return fault.Errorf(fault.NotFound, "object not found")
	}
	if err != nil {
		return err
	}
	return writeFound(w, r, wire.FromAlert(&alert, s.now()))
}

func (s *Server) deleteAlerts(w http.ResponseWriter, r *http.Request, machineID string) error {
	q, err := destructiveQueryOf(r)
	if err != nil {
		return err
	}
	filter, err := alertFilter(q, s.now().UTC())
	if err != nil {
		return err
	}
	deleted, err := s.store.DeleteAlerts(r.Context(), filter, s.now().UTC())
	if err != nil {
		return err
	}
	return s.answerRemoval(w, r, machineID, removal{"alerts.delete", q.String(), deleted})
}

func (s *Server) deleteAlert(w http.ResponseWriter, r *http.Request, machineID string) error {
	id, err := pathID(r, "alert_id")
	if err != nil {
		return err
	}
	deleted, err := s.store.DeleteAlerts(r.Context(), store.AlertFilter{IDs: []int64{id}}, s.now().UTC())
	if err != nil {
		return err
	}
	if deleted == 0 {
		return fault.Errorf(fault.NotFound, "alert with id '%d' doesn't exist", id)
	}
	return s.answerRemoval(w, r, machineID, removal{"alerts.delete", "id " + strconv.FormatInt(id, 10), deleted})
}

// removal is what a request has removed, as the journal has it.
type removal struct {
	action  string
	subject string
	count   int
}

// answerRemoval lets the removal take effect, takes it down, and answers how much there was.
func (s *Server) answerRemoval(w http.ResponseWriter, r *http.Request, machineID string, done removal) error {
	s.catchUp(r.Context())
	s.noteMachine(r, machineID, done.action, done.subject, done.count)
	return writeJSON(w, http.StatusOK, wire.Deleted{NbDeleted: strconv.Itoa(done.count)})
}

func pathID(r *http.Request, name string) (int64, error) {
	text := r.PathValue(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fault.Errorf(fault.Invalid, "%s '%s' is not an integer", name, text)
	}
	return id, nil
}

// alertFilter reads the parameters of alert lists and deletions; unknown ones are errors.
func alertFilter(q query, now time.Time) (store.AlertFilter, error) {
	if err := refuseUnknownAlertParameters(q); err != nil {
		return store.AlertFilter{}, err
	}
	filter := store.AlertFilter{
		Scope: domain.NormalizeScope(q.text("scope")), Value: q.text("value"), Scenario: q.text("scenario"),
		Kind: q.text("kind"), ExcludeSim: q.text("simulated") == "false", DecisionType: q.text("decision_type"),
		Origin: q.text("origin"), OldestFirst: q.text("sort") == "ASC", NoDecisions: q.text("with_decisions") == "false",
		Now: now,
	}
	filter.ExcludeCAPI = q.text("include_capi") == "false" && filter.Origin == ""
	var err error
	if filter.Range, filter.Inside, err = q.addresses(); err != nil {
		return store.AlertFilter{}, err
	}
	if err := readAlertTimes(q, now, &filter); err != nil {
		return store.AlertFilter{}, err
	}
	limit, err := q.number("limit", defaultAlerts)
	filter.Limit = int(limit)
	return filter, err
}

func refuseUnknownAlertParameters(q query) error {
	known := []string{
		"contains", "created_before", "decision_type", "has_active_decision", "include_capi", "ip", "kind", "limit",
		"origin", "range", "scenario", "scope", "simulated", "since", "sort", "until", "value", "with_decisions",
	}
	for _, name := range q.names() {
		if !slices.Contains(known, name) {
			return fault.Errorf(fault.Invalid, "filter parameter '%s' is unknown (=%s): invalid filter", name, q.text(name))
		}
	}
	return nil
}

func readAlertTimes(q query, now time.Time, filter *store.AlertFilter) error {
	var err error
	if filter.StartedAfter, err = q.ago("since", now); err != nil {
		return err
	}
	if filter.StartedBefore, err = q.ago("until", now); err != nil {
		return err
	}
	if filter.CreatedBefore, err = q.ago("created_before", now); err != nil {
		return err
	}
	if q.text("has_active_decision") == "" {
		return nil
	}
	active, err := q.boolean("has_active_decision", true)
	filter.Active = &active
	return err
}
