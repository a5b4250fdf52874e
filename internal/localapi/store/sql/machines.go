package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"strings"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// AddMachine implements store.Machines.
func (s *Store) AddMachine(ctx context.Context, m domain.Machine) error {
	err := s.write(ctx, func(tx session) error {
		now := tx.time(s.now())
		return tx.insertRows(ctx, "machines", []string{
			"created_at", "updated_at", "last_push", "last_heartbeat", "machine_id", "password", "ip_address",
			"scenarios", "version", "is_validated", "auth_type", "osname", "osversion",
		}, []any{
			now, now, tx.timeOrNull(m.LastPush), tx.timeOrNull(m.LastHeartbeat), m.ID, m.PasswordHash, m.IPAddress,
			joinNames(m.Scenarios), m.Version, m.Validated, string(m.AuthType), m.OSName, m.OSVersion,
		})
	})
	if fault.Is(err, fault.Exists) {
		return fault.Errorf(fault.Exists, "user '%s': user already exist", m.ID) // published text
	}
	return err
}

const selectMachines = `SELECT machine_id, password, ip_address, version, osname, osfamily, osversion, featureflags, hubstate,
	datasources, scenarios, is_validated, auth_type, created_at, updated_at, last_push, last_heartbeat FROM machines`

// Machine implements store.Machines.
func (s *Store) Machine(ctx context.Context, id string) (domain.Machine, error) {
	var found []domain.Machine
	err := s.ask(func(tx session) (err error) {
		found, err = collect(ctx, tx, scanMachine, selectMachines+" WHERE machine_id = ?", id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = machineNotFound(id)
	}
	if err != nil {
		return domain.Machine{}, err
	}
	return found[0], nil
}

// Machines implements store.Machines.
func (s *Store) Machines(ctx context.Context) (all []domain.Machine, err error) {
	err = s.ask(func(tx session) error {
		all, err = collect(ctx, tx, scanMachine, selectMachines+" ORDER BY id")
		return err
	})
	return all, err
}

// UpdateMachine implements store.Machines.
func (s *Store) UpdateMachine(ctx context.Context, id string, change store.MachineChange) error {
	return s.change(ctx, func(ctx context.Context, tx session) error { return s.updateMachine(ctx, tx, id, change) })
}

// UpdateMachines implements store.Presence.
func (s *Store) UpdateMachines(ctx context.Context, changes map[string]store.MachineChange) error {
	return updateMany(ctx, s, changes, s.updateMachine)
}

func (s *Store) updateMachine(ctx context.Context, tx session, id string, change store.MachineChange) error {
	var set assignments
	set.add("updated_at", tx.time(s.now()))
	assign(&set, "password", change.PasswordHash)
	assign(&set, "ip_address", change.IPAddress)
	assign(&set, "version", change.Version)
	assign(&set, "osname", change.OSName)
	assign(&set, "osversion", change.OSVersion)
	assign(&set, "is_validated", change.Validated)
	if change.Scenarios != nil {
		set.add("scenarios", joinNames(*change.Scenarios))
	}
	assignTime(&set, tx, "last_push", change.LastPush)
	assignTime(&set, tx, "last_heartbeat", change.LastHeartbeat)
	return set.update(ctx, tx, "machines", "machine_id = ?", id, machineNotFound(id))
}

// DeleteMachine implements store.Machines.
func (s *Store) DeleteMachine(ctx context.Context, id string) error {
	return s.write(ctx, func(tx session) error {
		rows, err := tx.exec(ctx, "DELETE FROM machines WHERE machine_id = ?", id)
		if err == nil && rows == 0 {
			return machineNotFound(id)
		}
		return err
	})
}

func machineNotFound(id string) error {
	return fault.Errorf(fault.NotFound, "machine '%s': machine not found", id)
}

func scanMachine(scan scanFunc) (m domain.Machine, err error) {
	var scenarios, features string
	err = scan(&m.ID, &m.PasswordHash, &m.IPAddress, nullable(&m.Version), nullable(&m.OSName), nullable(&m.OSFamily),
		nullable(&m.OSVersion), nullable(&features), nullable(&m.HubState), nullable(&m.Datasources), nullable(&scenarios),
		&m.Validated, &m.AuthType, instant{&m.CreatedAt}, instant{&m.UpdatedAt},
		instant{&m.LastPush}, instant{&m.LastHeartbeat})
	m.Scenarios, m.FeatureFlags = splitNames(scenarios), splitNames(features)
	return m, err
}

// machineRow returns the id of the machine's row, nil when there is none: a column that refers to it is NULL then.
func (s session) machineRow(ctx context.Context, id string) (any, error) {
	var row int64
	err := s.one(ctx, []any{&row}, "SELECT id FROM machines WHERE machine_id = ?", id)
	if errors.Is(err, dbsql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nil is NULL, a value like others here
	}
	return row, err
}

// joinNames writes names as the published column has them.
func joinNames(names []string) string { return strings.Join(names, ",") }

func splitNames(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
