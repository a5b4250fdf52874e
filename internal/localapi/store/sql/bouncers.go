package sql

import (
	"context"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// AddBouncer implements store.Bouncers.
func (s *Store) AddBouncer(ctx context.Context, b domain.Bouncer) (domain.Bouncer, error) {
	err := s.write(ctx, func(tx session) error {
		b.CreatedAt = s.now().UTC().Round(0)
		b.UpdatedAt = b.CreatedAt
		columns := []string{
			"created_at", "updated_at", "name", "api_key", "revoked", "ip_address", "type", "version",
			"last_pull", "auth_type", "auto_created", "stream_cursor",
		}
		err := tx.insertRows(ctx, "bouncers", columns, []any{
			tx.time(b.CreatedAt), tx.time(b.UpdatedAt), b.Name, b.KeyHash, b.Revoked, b.IPAddress, b.Type, b.Version,
			tx.timeOrNull(b.LastPull), string(b.AuthType), b.AutoCreated, b.Cursor,
		})
		if err != nil {
			return err
		}
		return tx.one(ctx, []any{&b.ID}, "SELECT id FROM bouncers WHERE name = ?", b.Name)
	})
	if fault.Is(err, fault.Exists) {
		err = fault.Errorf(fault.Exists, "bouncer %s already exists", b.Name)
	}
	if err != nil {
		return domain.Bouncer{}, err
	}
	return b, nil
}

const selectBouncers = `SELECT id, name, api_key, revoked, ip_address, type, version, last_pull, auth_type, auto_created,
	osname, osfamily, osversion, featureflags, stream_cursor, shieldwall_standing, created_at, updated_at FROM bouncers`

// Bouncers implements store.Bouncers.
func (s *Store) Bouncers(ctx context.Context, filter store.BouncerFilter) (found []domain.Bouncer, err error) {
	var must conditions
	must.equal("name", filter.Name)
	must.equal("api_key", filter.KeyHash)
	err = s.ask(func(tx session) error {
		found, err = collect(ctx, tx, scanBouncer, selectBouncers+must.where()+" ORDER BY id", must.args...)
		return err
	})
	return found, err
}

// UpdateBouncer implements store.Bouncers.
func (s *Store) UpdateBouncer(ctx context.Context, id int64, change store.BouncerChange) error {
	return s.change(ctx, func(ctx context.Context, tx session) error { return s.updateBouncer(ctx, tx, id, change) })
}

// UpdateBouncers implements store.Presence.
func (s *Store) UpdateBouncers(ctx context.Context, changes map[int64]store.BouncerChange) error {
	return updateMany(ctx, s, changes, s.updateBouncer)
}

func (s *Store) updateBouncer(ctx context.Context, tx session, id int64, change store.BouncerChange) error {
	var set assignments
	set.add("updated_at", tx.time(s.now()))
	assign(&set, "ip_address", change.IPAddress)
	assign(&set, "type", change.Type)
	assign(&set, "version", change.Version)
	assign(&set, "stream_cursor", change.Cursor)
	if change.Standing != nil {
		text, err := encodeStanding(*change.Standing)
		if err != nil {
			return err
		}
		set.add("shieldwall_standing", text)
	}
	assignTime(&set, tx, "last_pull", change.LastPull)
	if change.IPAddress == nil {
		return set.update(ctx, tx, "bouncers", "id = ?", id, bouncerNotFound(id))
	}
	return set.update(ctx, tx, "bouncers", "id = ? AND (ip_address IS NULL OR ip_address = '')", id, bouncerNotFound(id))
}

// DeleteBouncer implements store.Bouncers.
func (s *Store) DeleteBouncer(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx session) error {
		rows, err := tx.exec(ctx, "DELETE FROM bouncers WHERE id = ?", id)
		if err == nil && rows == 0 {
			return bouncerNotFound(id)
		}
		return err
	})
}

func bouncerNotFound(id int64) error {
	return fault.Errorf(fault.NotFound, "bouncer %d: bouncer not found", id)
}

func scanBouncer(scan scanFunc) (b domain.Bouncer, err error) {
	var features, standing string
	err = scan(&b.ID, &b.Name, &b.KeyHash, &b.Revoked, nullable(&b.IPAddress), nullable(&b.Type), nullable(&b.Version),
		instant{&b.LastPull}, &b.AuthType, &b.AutoCreated,
		nullable(&b.OSName), nullable(&b.OSFamily), nullable(&b.OSVersion), nullable(&features), &b.Cursor, nullable(&standing), instant{&b.CreatedAt}, instant{&b.UpdatedAt})
	b.FeatureFlags = splitNames(features)
	if err == nil {
		b.Standing, err = decodeStanding(standing)
	}
	return b, err
}
