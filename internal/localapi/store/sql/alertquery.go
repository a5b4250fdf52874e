package sql

import (
	"context"
	"slices"
	"strconv"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

const (
	fromAlerts = " FROM alerts LEFT JOIN machines ON machines.id = alerts.machine_alerts"

	childrenBatch = 500 // alerts whose events, meta data and decisions are read with one statement
)

// Alert implements store.Alerts.
func (s *Store) Alert(ctx context.Context, id int64) (domain.Alert, error) {
	found, err := s.Alerts(ctx, store.AlertFilter{IDs: []int64{id}})
	if err == nil && len(found) == 0 {
		err = fault.Errorf(fault.NotFound, "alert %d: alert not found", id)
	}
	if err != nil {
		return domain.Alert{}, err
	}
	return found[0], nil
}

// Alerts implements store.Alerts.
func (s *Store) Alerts(ctx context.Context, filter store.AlertFilter) (found []domain.Alert, err error) {
	err = s.read(ctx, func(tx session) error {
		if found, err = tx.alerts(ctx, filter); err != nil {
			return err
		}
		for batch := range slices.Chunk(found, childrenBatch) {
			if err := tx.loadChildren(ctx, batch, filter); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// CountAlerts implements store.Alerts.
func (s *Store) CountAlerts(ctx context.Context, filter store.AlertFilter) (map[string]int, error) {
	counts := map[string]int{}
	err := s.read(ctx, func(tx session) error {
		must := tx.alertConditions(filter)
		return tx.each(ctx, func(row scanFunc) error {
			var (
				scenario string
				count    int
			)
			err := row(&scenario, &count)
			counts[scenario] = count
			return err
		}, "SELECT scenario, COUNT(*)"+fromAlerts+must.where()+" GROUP BY scenario", must.args...)
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

func orderAndLimit(filter store.AlertFilter) string {
	order := " ORDER BY alerts.created_at DESC, alerts.id DESC"
	if filter.OldestFirst {
		order = " ORDER BY alerts.created_at, alerts.id"
	}
	if filter.Limit > 0 {
		order += " LIMIT " + strconv.Itoa(filter.Limit)
	}
	return order
}

func (s session) alertConditions(filter store.AlertFilter) conditions {
	var must conditions
	must.inIDs("alerts.id", filter.IDs)
	must.equal("source_scope", string(filter.Scope))
	must.equal("source_value", filter.Value)
	must.equal("kind", filter.Kind)
	must.equal("machines.machine_id", filter.MachineID)
	if !filter.StartedAfter.IsZero() {
		must.add("started_at >= ?", s.time(filter.StartedAfter))
	}
	if !filter.StartedBefore.IsZero() {
		must.add("started_at <= ?", s.time(filter.StartedBefore))
	}
	if !filter.CreatedBefore.IsZero() {
		must.add("alerts.created_at <= ?", s.time(filter.CreatedBefore))
	}
	if filter.ExcludeSim {
		must.add("simulated = FALSE")
	}
	s.addDecisionConditions(&must, filter)
	return must
}

// addDecisionConditions adds what the filter asks of the alert's decisions.
func (s session) addDecisionConditions(must *conditions, filter store.AlertFilter) {
	if filter.Scenario != "" {
		must.add("(scenario = ? OR "+hasDecision("scenario = ?")+")", filter.Scenario, filter.Scenario)
	}
	if filter.DecisionType != "" {
		must.add(hasDecision("type = ?"), filter.DecisionType)
	}
	if filter.Origin != "" {
		must.add(hasDecision("origin = ?"), filter.Origin)
	}
	if filter.Range.IsValid() {
		var covering conditions
		covering.covers(filter.Range, filter.Inside)
		must.add(hasDecision(covering.parts[0]), covering.args...)
	}
	if filter.ExcludeCAPI {
		must.add("NOT " + hasDecision("origin IN ('CAPI', 'lists')"))
		must.add("(" + hasDecision("TRUE") + ` OR NOT (COALESCE(source_scope, '') = 'crowdsecurity/community-blocklist'
			OR substr(COALESCE(source_scope, ''), 1, 6) = 'lists:'))`)
	}
	switch {
	case filter.Active == nil:
	case *filter.Active:
		must.add(hasDecision("until > ?"), s.time(filter.Now))
	default:
		must.add("NOT " + hasDecision("TRUE"))
	}
}

// hasDecision says that the alert has a decision for which condition, on columns of decisions, holds.
func hasDecision(condition string) string {
	return "EXISTS (SELECT 1 FROM decisions WHERE alert_decisions = alerts.id AND (" + condition + "))"
}

// alerts returns those that match, without what they own.
func (s session) alerts(ctx context.Context, filter store.AlertFilter) (found []domain.Alert, err error) {
	var a domain.Alert
	fields := alertFields(&a)
	must := s.alertConditions(filter)
	err = s.each(ctx, func(scan scanFunc) error {
		err := scan(fields...)
		found = append(found, a)
		return err
	}, `SELECT alerts.id, uuid, machines.machine_id, kind, scenario, scenario_hash, scenario_version, message, events_count, capacity,
		leak_speed, `+s.engine.times("started_at", "stopped_at", "alerts.created_at")+`, simulated, remediation,
		source_scope, source_value, source_ip, source_range, source_as_number, source_as_name, source_country,
		source_latitude, source_longitude`+fromAlerts+must.where()+orderAndLimit(filter), must.args...)
	return found, err
}

// alertFields receive the columns of an alert, in the order in which they are selected.
func alertFields(a *domain.Alert) []any {
	return []any{
		&a.ID, nullable(&a.UUID), nullable(&a.MachineID), nullable(&a.Kind), &a.Scenario,
		nullable(&a.ScenarioHash), nullable(&a.ScenarioVersion), nullable(&a.Message), nullable(&a.EventsCount),
		nullable(&a.Capacity), nullable(&a.Leakspeed),
		instant{&a.StartAt},
		instant{&a.StopAt},
		instant{&a.CreatedAt},
		&a.Simulated, nullable(&a.Remediation), nullable(&a.Source.Scope), nullable(&a.Source.Value),
		nullable(&a.Source.IP), nullable(&a.Source.Range), nullable(&a.Source.ASNumber), nullable(&a.Source.ASName),
		nullable(&a.Source.Country), nullable(&a.Source.Latitude), nullable(&a.Source.Longitude),
	}
}

// loadChildren fills in what the alerts own.
func (s session) loadChildren(ctx context.Context, alerts []domain.Alert, filter store.AlertFilter) error {
	ids := make([]int64, len(alerts))
	byID := make(map[int64]*domain.Alert, len(alerts))
	for i := range alerts {
		ids[i] = alerts[i].ID
		byID[ids[i]] = &alerts[i]
	}
	if err := s.loadEvents(ctx, byID, idList(ids)); err != nil {
		return err
	}
	if err := s.loadMeta(ctx, byID, idList(ids)); err != nil {
		return err
	}
	if filter.NoDecisions {
		return nil
	}
	return s.loadDecisions(ctx, byID, idList(ids))
}

func (s session) loadEvents(ctx context.Context, alerts map[int64]*domain.Alert, ids string) error {
	return s.each(ctx, func(scan scanFunc) error {
		var (
			owner int64
			event domain.AlertEvent
			meta  string
		)
		err := scan(&owner, instant{&event.Time}, &meta)
		if err != nil {
			return err
		}
		if event.Meta, err = decodeMeta(meta); err != nil {
			return err
		}
		alerts[owner].Events = append(alerts[owner].Events, event)
		return nil
	}, "SELECT alert_events, "+s.engine.times("time")+", serialized FROM events WHERE alert_events IN "+ids+" ORDER BY alert_events, id")
}

func (s session) loadMeta(ctx context.Context, alerts map[int64]*domain.Alert, ids string) error {
	return s.each(ctx, func(scan scanFunc) error {
		var (
			owner int64
			item  domain.KeyValue
		)
		if err := scan(&owner, &item.Key, &item.Value); err != nil {
			return err
		}
		alerts[owner].Meta = append(alerts[owner].Meta, item)
		return nil
	}, `SELECT alert_metas, "key", value FROM meta WHERE alert_metas IN `+ids+" ORDER BY alert_metas, id")
}

func (s session) loadDecisions(ctx context.Context, alerts map[int64]*domain.Alert, ids string) error {
	var owned []domain.Decision // by one alert: its list is made when it is known how long it is
	hand := func() {
		if len(owned) > 0 {
			alerts[owned[0].AlertID].Decisions = slices.Clone(owned)
			owned = owned[:0]
		}
	}
	err := s.eachDecision(ctx, func(d *domain.Decision) {
		if len(owned) > 0 && owned[0].AlertID != d.AlertID {
			hand()
		}
		owned = append(owned, *d)
	}, " WHERE alert_decisions IN "+ids+" ORDER BY alert_decisions, id")
	hand()
	return err
}
