package sql

import (
	"context"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

const forgetNodeAfter = time.Hour

// Acquire implements store.Replicas.
func (s *Store) Acquire(ctx context.Context, job, holder string, ttl time.Duration) (acquired bool, err error) {
	err = s.write(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		until := tx.time(now.Add(ttl))
		rows, err := tx.exec(ctx, "UPDATE leases SET holder = ?, expires_at = ? WHERE job = ? AND (holder = ? OR expires_at <= ?)",
			holder, until, job, holder, tx.time(now))
		if err != nil || rows > 0 {
			acquired = rows > 0
			return err
		}
		acquired = true
		return tx.insertRows(ctx, "leases", []string{"job", "holder", "expires_at"}, []any{job, holder, until})
	})
	if fault.Is(err, fault.Exists) {
		return false, nil // another holds it
	}
	return acquired && err == nil, err
}

// Release implements store.Replicas.
func (s *Store) Release(ctx context.Context, job, holder string) error {
	return s.write(ctx, func(tx session) error {
		_, err := tx.exec(ctx, "DELETE FROM leases WHERE job = ? AND holder = ?", job, holder)
		return err
	})
}

// SeenNode implements store.Replicas. SeenAt and Leases of the node are ignored.
func (s *Store) SeenNode(ctx context.Context, node domain.Node) error {
	return s.write(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.exec(ctx, "UPDATE nodes SET hostname = ?, address = ?, version = ?, started_at = ?, seen_at = ?, applied = ? WHERE id = ?",
			node.Hostname, node.Address, node.Version, tx.time(node.StartedAt), tx.time(now), node.Applied, node.ID)
		if err != nil {
			return err
		}
		if rows == 0 {
			err = tx.insertRows(ctx, "nodes", []string{"id", "hostname", "address", "version", "started_at", "seen_at", "applied"},
				[]any{node.ID, node.Hostname, node.Address, node.Version, tx.time(node.StartedAt), tx.time(now), node.Applied})
			if err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, "DELETE FROM nodes WHERE seen_at <= ?", tx.time(now.Add(-forgetNodeAfter)))
		return err
	})
}

// Nodes implements store.Replicas.
func (s *Store) Nodes(ctx context.Context) (nodes []domain.Node, err error) {
	err = s.read(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		nodes, err = collect(ctx, tx, scanNode, `SELECT id, hostname, address, version, started_at, seen_at, applied FROM nodes
			WHERE seen_at > ? ORDER BY started_at, id`, tx.time(now.Add(-forgetNodeAfter)))
		if err != nil {
			return err
		}
		return tx.loadLeases(ctx, nodes, now)
	})
	if err != nil {
		return nil, err
	}
	return nodes, nil
}

func scanNode(scan scanFunc) (n domain.Node, err error) {
	err = scan(&n.ID, &n.Hostname, &n.Address, &n.Version, instant{&n.StartedAt}, instant{&n.SeenAt}, &n.Applied)
	return n, err
}

func (s session) loadLeases(ctx context.Context, nodes []domain.Node, now time.Time) error {
	return s.each(ctx, func(scan scanFunc) error {
		var job, holder string
		if err := scan(&job, &holder); err != nil {
			return err
		}
		if i := slices.IndexFunc(nodes, func(n domain.Node) bool { return n.ID == holder }); i >= 0 {
			nodes[i].Leases = append(nodes[i].Leases, job)
		}
		return nil
	}, "SELECT job, holder FROM leases WHERE expires_at > ? ORDER BY job", s.time(now))
}
