package sql

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// AddAlerts implements store.Alerts. A decision that is about addresses and whose value is none makes it refuse
// all, with an error of kind Invalid. Alerts and decisions without a UUID get one. Calls that come at the same time
// share a transaction.
func (s *Store) AddAlerts(ctx context.Context, alerts []domain.Alert) ([]int64, error) {
	if len(alerts) == 0 {
		return nil, nil
	}
	call := addition{alerts: make([]alertRows, len(alerts))}
	for i := range alerts {
		var err error
		if call.alerts[i], err = s.engine.rowsOf(&alerts[i]); err != nil {
			return nil, err
		}
	}
	if err := s.additions.do(ctx, &call); err != nil {
		return nil, err
	}
	return call.ids, nil
}

// addition is one call of AddAlerts.
type addition struct {
	alerts []alertRows
	ids    []int64 // of the alerts, when it is done
}

// addTogether stores the alerts of several calls in one transaction.
func (s *Store) addTogether(ctx context.Context, calls []*addition) error {
	var alerts []alertRows
	for _, call := range calls {
		alerts = append(alerts, call.alerts...)
	}
	var (
		ids    map[string]int64
		logged []store.Change
	)
	err := s.write(ctx, func(tx session) (err error) {
		ids, logged, err = tx.addAlerts(ctx, alerts, s.now()) // the time not earlier: what committed later was created later
		return err
	})
	if err != nil {
		return fmt.Errorf("storing alerts: %w", err)
	}
	s.recent.add(logged)
	for _, call := range calls {
		for i := range call.alerts {
			call.ids = append(call.ids, ids[call.alerts[i].uuid])
		}
	}
	return nil
}

// addAlerts stores the alerts that are not stored already and returns the IDs of all by UUID, and what that adds to the
// change log, where we know without asking.
func (s session) addAlerts(ctx context.Context, alerts []alertRows, now time.Time) (ids map[string]int64, logged []store.Change, err error) {
	ids = make(map[string]int64, len(alerts))
	if err := s.alertsByUUID(ctx, alerts, ids); err != nil {
		return nil, nil, err
	}
	missing := withoutRow(alerts, ids)
	if len(missing) == 0 {
		return ids, nil, nil
	}
	stamp := s.time(now)
	if err := s.insertAlerts(ctx, missing, ids, stamp); err != nil {
		return nil, nil, err
	}
	if err := s.insertOwned(ctx, missing, ids, stamp); err != nil {
		return nil, nil, err
	}
	logged, err = s.insertDecisions(ctx, missing, ids, stamp)
	for i := range logged {
		logged[i].Decision.CreatedAt = now.UTC().Round(0)
	}
	return ids, logged, err
}

// withoutRow returns the alerts without an ID, each UUID once.
func withoutRow(alerts []alertRows, ids map[string]int64) []alertRows {
	missing := make([]alertRows, 0, len(alerts))
	taken := make(map[string]bool, len(alerts))
	for _, alert := range alerts {
		if ids[alert.uuid] == 0 && !taken[alert.uuid] {
			taken[alert.uuid] = true
			missing = append(missing, alert)
		}
	}
	return missing
}

const uuidsPerStatement = 256

// alertsByUUID adds the rows of those that are stored to ids. A database of the replaced system may hold a UUID
// twice; then it is the first row.
func (s session) alertsByUUID(ctx context.Context, alerts []alertRows, ids map[string]int64) error {
	for batch := range slices.Chunk(alerts, uuidsPerStatement) {
		var which conditions
		uuids := make([]string, 0, uuidsPerStatement)
		for i := range batch {
			uuids = append(uuids, batch[i].uuid)
		}
		for bits.OnesCount(uint(len(uuids))) > 1 { // so that there are few different statements, see insertRows
			uuids = append(uuids, uuids[0])
		}
		which.in("uuid", uuids)
		err := s.each(ctx, func(scan scanFunc) error {
			var (
				row int64
				id  string
			)
			if err := scan(&row, &id); err != nil {
				return err
			}
			ids[id] = row
			return nil
		}, "SELECT id, uuid FROM alerts"+which.where()+" ORDER BY id DESC", which.args...)
		if err != nil {
			return fmt.Errorf("searching alerts by UUID: %w", err)
		}
	}
	return nil
}

// insertAlerts stores the rows of the alerts themselves, and adds their IDs to ids.
func (s session) insertAlerts(ctx context.Context, alerts []alertRows, ids map[string]int64, stamp any) error {
	machines, err := s.machineRows(ctx, alerts)
	if err != nil {
		return err
	}
	into := insertion{table: "alerts", columns: alertColumns(), stamp: stamp}
	var next int64
	if s.engine.firstID != nil {
		if next, err = s.engine.firstID(ctx, s, into.table); err != nil {
			return fmt.Errorf("reading the next ID of an alert: %w", err)
		}
		into.columns = append(into.columns, "id")
	}
	values := make([]any, 0, len(alerts)*len(into.columns))
	for i := range alerts {
		row := alerts[i].alert
		values = append(append(values, row[:len(row)-1]...), machines[alerts[i].machine])
		if s.engine.firstID != nil {
			values = append(values, next)
			ids[alerts[i].uuid] = next
			next++
		}
	}
	err = s.insertStamped(ctx, into, values)
	if err != nil && s.engine.reasonOf(err).kind == fault.Exists {
		return conflictError{err} // who stored the same UUID in between: the next look will find it
	}
	if err != nil || s.engine.firstID != nil {
		return err
	}
	return s.alertsByUUID(ctx, alerts, ids)
}

// machineRows returns the ids of the machines' rows by name. What is missing is nil, which is NULL.
func (s session) machineRows(ctx context.Context, alerts []alertRows) (map[string]any, error) {
	rows := map[string]any{}
	for i := range alerts {
		name := alerts[i].machine
		if _, known := rows[name]; known {
			continue
		}
		row, err := s.machineRow(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("searching machine %s: %w", name, err)
		}
		rows[name] = row
	}
	return rows, nil
}

// insertOwned stores what belongs to the alerts, except their decisions.
func (s session) insertOwned(ctx context.Context, alerts []alertRows, ids map[string]int64, stamp any) error {
	for _, rows := range []struct {
		table   string
		columns []string
		pick    func(*alertRows) []any
	}{
		{"events", eventColumns(), func(a *alertRows) []any { return a.events }},
		{"meta", metaColumns(), func(a *alertRows) []any { return a.meta }},
	} {
		values := ownedRows(alerts, ids, len(rows.columns), rows.pick)
		if err := s.insertStamped(ctx, insertion{table: rows.table, columns: rows.columns, stamp: stamp}, values); err != nil {
			return err
		}
	}
	return nil
}

// insertDecisions stores the decisions of the alerts and logs them.
func (s session) insertDecisions(ctx context.Context, alerts []alertRows, ids map[string]int64, stamp any) ([]store.Change, error) {
	into := insertion{table: "decisions", columns: decisionColumns(), stamp: stamp}
	values := ownedRows(alerts, ids, len(into.columns), func(a *alertRows) []any { return a.decisions })
	count := len(values) / len(into.columns)
	if count == 0 {
		return nil, nil
	}
	if s.engine.firstID == nil {
		if err := s.insertStamped(ctx, into, values); err != nil {
			return nil, err
		}
		return nil, s.logAdditions(ctx, count, decisionsOf(alerts, ids))
	}
	first, err := s.engine.firstID(ctx, s, into.table)
	if err != nil {
		return nil, fmt.Errorf("reading the next ID of a decision: %w", err)
	}
	if err := s.insertStamped(ctx, into, values); err != nil {
		return nil, err
	}
	last, err := s.logAdditionsFrom(ctx, first, count)
	if err != nil {
		return nil, err
	}
	return additions(alerts, ids, store.Change{Seq: last - int64(count) + 1, Decision: domain.Decision{ID: first}}), nil
}

// additions returns the entries of the change log about the decisions of alerts, which are numbered like the first one.
func additions(alerts []alertRows, ids map[string]int64, next store.Change) []store.Change {
	var all []store.Change
	for i := range alerts {
		for _, decision := range alerts[i].decided {
			decision.ID, decision.AlertID = next.Decision.ID, ids[alerts[i].uuid]
			all = append(all, store.Change{Seq: next.Seq, Decision: decision})
			next.Seq++
			next.Decision.ID++
		}
	}
	return all
}

// decisionsOf selects the decisions of alerts.
func decisionsOf(alerts []alertRows, ids map[string]int64) (which conditions) {
	var owners []int64
	for i := range alerts {
		if len(alerts[i].decisions) > 0 {
			owners = append(owners, ids[alerts[i].uuid])
		}
	}
	which.inIDs("alert_decisions", owners)
	return which
}

// DeleteAlerts implements store.Alerts.
func (s *Store) DeleteAlerts(ctx context.Context, filter store.AlertFilter, now time.Time) (deleted int, err error) {
	err = s.write(ctx, func(tx session) error {
		deleted, err = tx.deleteAlerts(ctx, filter, now)
		return err
	})
	s.recent.forget()
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// deleteAlerts locks all that it will touch before it takes a number of the change log: whoever waits for a row must
// not hold the counter.
func (s session) deleteAlerts(ctx context.Context, filter store.AlertFilter, now time.Time) (deleted int, err error) {
	must := s.alertConditions(filter)
	doomed, err := collect(ctx, s, scanID, "SELECT alerts.id"+fromAlerts+must.where()+" ORDER BY alerts.id", must.args...)
	if err != nil {
		return 0, fmt.Errorf("selecting alerts: %w", err)
	}
	var active []int64
	for batch := range slices.Chunk(doomed, idsPerStatement) {
		var which conditions
		which.inIDs("alert_decisions", batch)
		which.add("until > ?", s.time(now))
		decisions, err := s.lockDecisions(ctx, which)
		if err != nil {
			return 0, err
		}
		active = append(active, decisions...)
	}
	slices.Sort(active)
	if err := s.logRemovals(ctx, active, now); err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(doomed, idsPerStatement) {
		count, err := s.exec(ctx, "DELETE FROM alerts WHERE id IN "+idList(batch))
		if err != nil {
			return 0, fmt.Errorf("deleting alerts: %w", err)
		}
		deleted += count
	}
	return deleted, nil
}
