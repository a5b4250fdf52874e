package localapi

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
	"shieldwall/internal/wire"
)

// pullNotedStream is how exactly the last live query is known of a bouncer that also follows the stream, which needs that
// time itself.
const pullNotedStream = time.Hour

func (s *Server) queryDecisions(w http.ResponseWriter, r *http.Request, bouncer domain.Bouncer) error {
	q, err := queryOf(r)
	if err != nil {
		return err
	}
	filter, err := decisionFilter(q, nil)
	if err != nil {
		return err
	}
	now := s.now().UTC()
	found, err := page(q, s.index.Query(filter, now))
	if err != nil {
		return err
	}
	s.metrics.answered(bouncer.Name, len(found))
	if r.Method == http.MethodGet {
		s.noteLivePull(r, bouncer, now)
	}
	var documents []wire.Decision // null when there are none
	for i := range found {
		decision := found[i].Decision()
		document := wire.FromDecision(&decision, now)
		document.UUID = ""
		documents = append(documents, document)
	}
	return writeFound(w, r, documents)
}

// page cuts the part out of decisions, which are by ID, that the request asks for.
func page(q query, decisions []stream.Record) ([]stream.Record, error) {
	after, err := q.number("id_gt", 0)
	if err != nil {
		return nil, err
	}
	offset, err := q.number("offset", 0)
	if err != nil {
		return nil, err
	}
	limit, err := q.number("limit", 0)
	if err != nil {
		return nil, err
	}
	first := slices.IndexFunc(decisions, func(r stream.Record) bool { return r.ID() > after })
	if first < 0 {
		return nil, nil
	}
	decisions = decisions[first:]
	decisions = decisions[min(offset, int64(len(decisions))):]
	if limit > 0 {
		decisions = decisions[:min(limit, int64(len(decisions)))]
	}
	return decisions, nil
}

// noteLivePull takes down that the bouncer is alive. The stream of the same bouncer announces what has expired
// since that time, so one that follows the stream is left alone.
func (s *Server) noteLivePull(r *http.Request, bouncer domain.Bouncer, now time.Time) {
	if bouncer.Cursor != 0 && now.Sub(bouncer.LastPull) < pullNotedStream {
		return
	}
	s.bouncers.Note(bouncer, s.clientAddress(r), store.BouncerChange{LastPull: &now})
}

func (s *Server) expireDecisions(w http.ResponseWriter, r *http.Request, machineID string) error {
	q, err := destructiveQueryOf(r)
	if err != nil {
		return err
	}
	filter, err := expiryFilter(q)
	if err != nil {
		return err
	}
	expired, err := s.store.ExpireDecisions(r.Context(), filter, s.now().UTC())
	if err != nil {
		return err
	}
	return s.answerRemoval(w, r, machineID, removal{"decisions.expire", q.String(), expired})
}

func (s *Server) expireDecision(w http.ResponseWriter, r *http.Request, machineID string) error {
	id, err := pathID(r, "decision_id")
	if err != nil {
		return err
	}
	expired, err := s.store.ExpireDecisions(r.Context(), store.DecisionFilter{IDs: []int64{id}}, s.now().UTC())
	if err != nil {
		return err
	}
	if expired == 0 {
		return fault.Errorf(fault.NotFound, "decision with id '%d' doesn't exist: unable to delete", id)
	}
	return s.answerRemoval(w, r, machineID, removal{"decisions.expire", "id " + strconv.FormatInt(id, 10), expired})
}

// expiryFilter reads the parameters of a deletion; unknown ones are errors.
func expiryFilter(q query) (store.DecisionFilter, error) {
	known := []string{"contains", "ip", "origin", "range", "scenario", "scope", "scopes", "type", "uuid", "value"}
	for _, name := range q.names() {
		if !slices.Contains(known, name) {
			return store.DecisionFilter{}, fault.Errorf(fault.Invalid, "'%s' doesn't exist: invalid filter", name)
		}
	}
	filter := store.DecisionFilter{
		UUIDs: q["uuid"], Value: q.text("value"), Type: q.text("type"), Origin: q.text("origin"),
		Scenario: q.text("scenario"), Scope: domain.NormalizeScope(q.text("scopes")),
	}
	if scope := domain.NormalizeScope(q.text("scope")); scope != "" {
		if filter.Scope != "" && filter.Scope != scope {
			return store.DecisionFilter{}, fault.Errorf(fault.Invalid, "scope and scopes exclude each other: invalid filter")
		}
		filter.Scope = scope
	}
	var err error
	filter.Range, filter.Inside, err = q.addresses()
	return filter, err
}

// decisionFilter reads the parameters of live queries and streams; unknown ones are ignored, for clients
// send them. Without scopes those of scopes count.
func decisionFilter(q query, scopes []domain.Scope) (stream.Filter, error) {
	filter := stream.Filter{
		Scopes: scopes, Origins: q.list("origins"), Value: q.text("value"), Type: q.text("type"),
		ScenariosContaining:    q.lowerList("scenarios_containing"),
		ScenariosNotContaining: q.lowerList("scenarios_not_containing"),
		IncludeSimulated:       q.text("simulated") != "" && q.text("simulated") != "false",
		KeepDuplicates:         q.text("dedup") == "false",
	}
	if asked := q.scopes("scopes"); asked != nil {
		filter.Scopes = asked
	}
	if asked := q.scopes("scope"); asked != nil {
		filter.Scopes = intersect(filter.Scopes, asked)
	}
	var err error
	filter.Range, filter.Inside, err = q.addresses()
	return filter, err
}

// intersect returns the scopes that are in both; nil stands for all scopes.
func intersect(a, b []domain.Scope) []domain.Scope {
	if a == nil {
		return b
	}
	both := make([]domain.Scope, 0, len(b))
	for _, scope := range b {
		if slices.Contains(a, scope) {
			both = append(both, scope)
		}
	}
	return both
}
