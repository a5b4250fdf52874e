package sql

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

// alertRows is an alert as it will be stored. Rows are made before the transaction, because the connection that writes
// is what everybody waits for. Their last value, whom the row belongs to, is filled in when it is known.
type alertRows struct {
	uuid      string
	machine   string
	alert     []any
	events    []any
	meta      []any
	decisions []any
	decided   []domain.Decision // what decisions are the rows of
}

// Columns of the rows. All have created_at and updated_at besides.
func alertColumns() []string {
	return []string{
		"uuid", "kind", "scenario", "scenario_hash", "scenario_version", "message", "events_count", "capacity", "leak_speed",
		"started_at", "stopped_at", "simulated", "remediation", "source_scope", "source_value", "source_ip", "source_range",
		"source_as_number", "source_as_name", "source_country", "source_latitude", "source_longitude", "machine_alerts",
	}
}

func eventColumns() []string { return []string{"time", "serialized", "alert_events"} }

func metaColumns() []string { return []string{`"key"`, "value", "alert_metas"} }

func decisionColumns() []string {
	return []string{
		"until", "scenario", "type", "start_ip", "end_ip", "start_suffix", "end_suffix", "ip_size",
		"scope", "value", "origin", "simulated", "uuid", "alert_decisions",
	}
}

// rowsOf refuses decisions that are about addresses and whose value is none.
func (e *engine) rowsOf(a *domain.Alert) (rows alertRows, err error) {
	rows = alertRows{uuid: uuidOr(a.UUID), machine: a.MachineID}
	rows.alert = e.alertRow(a, rows.uuid)
	if rows.events, err = e.eventRows(a.Events); err != nil {
		return rows, err
	}
	rows.meta = e.metaRows(a.Meta)
	rows.decided = slices.Clone(a.Decisions)
	for i := range rows.decided {
		d := &rows.decided[i]
		d.UUID, d.Simulated = uuidOr(d.UUID), a.Simulated
	}
	if rows.decisions, err = e.decisionRows(rows.decided); err != nil {
		return rows, fmt.Errorf("storing alert %s: %w", rows.uuid, err)
	}
	return rows, nil
}

func uuidOr(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return id
}

func (e *engine) alertRow(a *domain.Alert, id string) []any {
	return []any{
		id, e.fit(a.Kind), e.fit(a.Scenario), e.fit(a.ScenarioHash), e.fit(a.ScenarioVersion), e.fit(a.Message),
		a.EventsCount, a.Capacity, e.fit(a.Leakspeed), e.timeOrNull(a.StartAt), e.timeOrNull(a.StopAt), a.Simulated, a.Remediation,
		e.fit(string(a.Source.Scope)), e.fit(a.Source.Value), e.fit(a.Source.IP), e.fit(a.Source.Range), e.fit(a.Source.ASNumber),
		e.fit(a.Source.ASName), e.fit(a.Source.Country), a.Source.Latitude, a.Source.Longitude, nil,
	}
}

func (e *engine) eventRows(events []domain.AlertEvent) ([]any, error) {
	rows := make([]any, 0, len(events)*len(eventColumns()))
	meta := make([]byte, 0, typicalMeta)
	for i := range events {
		var err error
		if meta, err = encodeMeta(meta, events[i].Meta); err != nil {
			return nil, err
		}
		rows = append(rows, e.eventTime(events[i].Time), string(meta), nil)
	}
	return rows, nil
}

// eventTime is NULL for the zero time where the published column allows it: the columns of the replaced system's times
// begin later there.
func (e *engine) eventTime(t time.Time) any {
	if e.nullTimes {
		return e.timeOrNull(t)
	}
	return e.bindTime(t)
}

func (e *engine) metaRows(meta []domain.KeyValue) []any {
	rows := make([]any, 0, len(meta)*len(metaColumns()))
	for _, item := range meta {
		rows = append(rows, e.clean(cut(item.Key, maxMetaKey)), e.clean(cut(item.Value, maxMetaValue)), nil)
	}
	return rows
}

func (e *engine) decisionRows(decisions []domain.Decision) ([]any, error) {
	rows := make([]any, 0, len(decisions)*len(decisionColumns()))
	for i := range decisions {
		d := &decisions[i]
		at, err := addressOf(d)
		if err != nil {
			return nil, err
		}
		rows = append(rows,
			e.timeOrNull(d.Until), e.fit(d.Scenario), e.fit(d.Type), at.startIP, at.endIP, at.startSuffix, at.endSuffix, at.size,
			e.fit(string(d.Scope)), e.fit(d.Value), e.fit(d.Origin), d.Simulated, d.UUID, nil)
	}
	return rows, nil
}

// addressOf is the zero address for decisions about other things.
func addressOf(d *domain.Decision) (address, error) {
	if !d.Scope.IsAddress() {
		return address{}, nil
	}
	r, err := domain.ParseIPRange(d.Value)
	if err != nil {
		return address{}, fault.Errorf(fault.Invalid, "decision with scope %s: %w", d.Scope, err)
	}
	return encodeRange(r), nil
}

// ownedRows joins the rows that pick returns for each alert, and writes down whom they belong to.
func ownedRows(alerts []alertRows, ids map[string]int64, width int, pick func(*alertRows) []any) []any {
	var rows []any
	for i := range alerts {
		owned := pick(&alerts[i])
		rows = slices.Grow(rows, len(owned))
		for row := range slices.Chunk(owned, width) {
			rows = append(append(rows, row[:width-1]...), ids[alerts[i].uuid])
		}
	}
	return rows
}
