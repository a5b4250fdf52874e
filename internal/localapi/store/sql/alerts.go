package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// AddAlerts implements store.Alerts. A decision that is about addresses and whose value is none makes it refuse
// all, with an error of kind Invalid. Alerts and decisions without a UUID get one.
func (s *Store) AddAlerts(ctx context.Context, alerts []domain.Alert) ([]int64, error) {
	ids := make([]int64, 0, len(alerts))
	err := s.write(ctx, func(tx session) error {
		now := s.now() // not earlier: what committed later was created later
		for _, alert := range alerts {
			id, err := tx.addAlert(ctx, alert, now)
			if err != nil {
				return fmt.Errorf("storing alert %s: %w", alert.UUID, err)
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// addressOf is the zero address for decisions about other things.
func addressOf(d domain.Decision) (address, error) {
	if !d.Scope.IsAddress() {
		return address{}, nil
	}
	r, err := domain.ParseIPRange(d.Value)
	if err != nil {
		return address{}, fault.Errorf(fault.Invalid, "decision with scope %s: %w", d.Scope, err)
	}
	return encodeRange(r), nil
}

// addAlert returns the ID of the alert with this UUID, and stores it first if there is none.
func (s session) addAlert(ctx context.Context, alert domain.Alert, now time.Time) (int64, error) {
	id, err := s.alertWithUUID(ctx, alert.UUID)
	if err != nil || id != 0 {
		return id, err
	}
	if alert.ID, err = s.insertAlert(ctx, alert, now); err != nil {
		return 0, err
	}
	for _, insert := range []func(context.Context, domain.Alert, time.Time) error{
		s.insertEvents, s.insertMeta, s.insertDecisions,
	} {
		if err := insert(ctx, alert, now); err != nil {
			return 0, err
		}
	}
	return alert.ID, s.logAdditions(ctx, "alert_decisions = ?", alert.ID)
}

// alertWithUUID returns 0 when there is no such alert. No unique index guards it, because a database of the
// replaced system may hold duplicates; that nobody else writes between this and the insertion does.
func (s session) alertWithUUID(ctx context.Context, id string) (row int64, err error) {
	if id == "" {
		return 0, nil
	}
	err = s.one(ctx, []any{&row}, "SELECT id FROM alerts WHERE uuid = ? ORDER BY id LIMIT 1", id)
	if errors.Is(err, dbsql.ErrNoRows) {
		return 0, nil
	}
	return row, err
}

func (s session) insertAlert(ctx context.Context, a domain.Alert, now time.Time) (id int64, err error) {
	machine, err := s.machineRow(ctx, a.MachineID)
	if err != nil {
		return 0, err
	}
	columns := []string{
		"created_at", "updated_at", "uuid", "kind", "scenario", "scenario_hash", "scenario_version", "message",
		"events_count", "capacity", "leak_speed", "started_at", "stopped_at", "simulated", "remediation",
		"source_scope", "source_value", "source_ip", "source_range", "source_as_number", "source_as_name",
		"source_country", "source_latitude", "source_longitude", "machine_alerts",
	}
	err = s.one(ctx, []any{&id}, insertStatement("alerts", columns, 1)+" RETURNING id",
		s.time(now), s.time(now), uuidOr(a.UUID), a.Kind, a.Scenario, a.ScenarioHash, a.ScenarioVersion, a.Message,
		a.EventsCount, a.Capacity, a.Leakspeed, s.timeOrNull(a.StartAt), s.timeOrNull(a.StopAt), a.Simulated, a.Remediation,
		string(a.Source.Scope), a.Source.Value, a.Source.IP, a.Source.Range, a.Source.ASNumber, a.Source.ASName,
		a.Source.Country, a.Source.Latitude, a.Source.Longitude, machine)
	return id, err
}

func uuidOr(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return id
}

func (s session) insertEvents(ctx context.Context, a domain.Alert, now time.Time) error {
	rows := make([][]any, len(a.Events))
	for i, event := range a.Events {
		meta, err := encodeMeta(event.Meta)
		if err != nil {
			return err
		}
		rows[i] = []any{s.time(now), s.time(now), s.time(event.Time), meta, a.ID}
	}
	return s.insertRows(ctx, "events", []string{"created_at", "updated_at", "time", "serialized", "alert_events"}, rows)
}

func (s session) insertMeta(ctx context.Context, a domain.Alert, now time.Time) error {
	rows := make([][]any, len(a.Meta))
	for i, item := range a.Meta {
		key, value := cut(item.Key, maxMetaKey), cut(item.Value, maxMetaValue)
		rows[i] = []any{s.time(now), s.time(now), key, value, a.ID}
	}
	return s.insertRows(ctx, "meta", []string{"created_at", "updated_at", `"key"`, "value", "alert_metas"}, rows)
}

func (s session) insertDecisions(ctx context.Context, a domain.Alert, now time.Time) error {
	rows := make([][]any, len(a.Decisions))
	for i, d := range a.Decisions {
		at, err := addressOf(d)
		if err != nil {
			return err
		}
		rows[i] = []any{
			s.time(now), s.time(now), s.timeOrNull(d.Until), d.Scenario, d.Type,
			at.startIP, at.endIP, at.startSuffix, at.endSuffix, at.size,
			string(d.Scope), d.Value, d.Origin, a.Simulated, uuidOr(d.UUID), a.ID,
		}
	}
	return s.insertRows(ctx, "decisions", []string{
		"created_at", "updated_at", "until", "scenario", "type",
		"start_ip", "end_ip", "start_suffix", "end_suffix", "ip_size",
		"scope", "value", "origin", "simulated", "uuid", "alert_decisions",
	}, rows)
}

// DeleteAlerts implements store.Alerts.
func (s *Store) DeleteAlerts(ctx context.Context, filter store.AlertFilter, now time.Time) (deleted int, err error) {
	err = s.write(ctx, func(tx session) error {
		must := tx.alertConditions(filter)
		// The derived table is for engines that refuse to read the table they change.
		doomed := "IN (SELECT id FROM (SELECT alerts.id" + fromAlerts + must.where() + ") AS doomed)"

		var active conditions
		active.add("alert_decisions "+doomed, must.args...)
		active.add("until > ?", tx.time(now))
		if err := tx.logRemovals(ctx, active, now); err != nil {
			return err
		}
		deleted, err = tx.exec(ctx, "DELETE FROM alerts WHERE id "+doomed, must.args...)
		if err != nil {
			return fmt.Errorf("deleting alerts: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}
