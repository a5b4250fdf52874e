package sql

import (
	"context"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

const (
	forgetNodeAfter = time.Hour
	// A node that is silent for so long while another one uses its address has ended.
	replaceNodeAfter = 20 * time.Second
)

// Acquire implements store.Replicas. Who finds that another holds the lease has only read.
func (s *Store) Acquire(ctx context.Context, job, holder string, ttl time.Duration) (acquired bool, err error) {
	taken, err := s.heldByAnother(ctx, job, holder)
	if err != nil || taken {
		return false, err
	}
	err = s.write(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		until := tx.time(now.Add(ttl))
		rows, err := tx.exec(ctx, "UPDATE leases SET holder = ?, expires_at = ? WHERE job = ? AND (holder = ? OR expires_at <= ?)",
			holder, until, job, holder, tx.time(now))
		if err != nil || rows > 0 {
			return err
		}
		return tx.insertRows(ctx, "leases", []string{"job", "holder", "expires_at"}, []any{job, holder, until})
	})
	if fault.Is(err, fault.Exists) {
		return false, nil // another was faster
	}
	return err == nil, err
}

func (s *Store) heldByAnother(ctx context.Context, job, holder string) (taken bool, err error) {
	err = s.read(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		var count int
		err = tx.one(ctx, []any{&count}, "SELECT COUNT(*) FROM leases WHERE job = ? AND holder <> ? AND expires_at > ?", job, holder, tx.time(now))
		taken = count > 0
		return err
	})
	return taken, err
}

// Release implements store.Replicas.
func (s *Store) Release(ctx context.Context, job, holder string) error {
	return s.write(ctx, func(tx session) error {
		_, err := tx.exec(ctx, "DELETE FROM leases WHERE job = ? AND holder = ?", job, holder)
		return err
	})
}

// SeenNode implements store.Replicas.
func (s *Store) SeenNode(ctx context.Context, node domain.Node) (lag int64, err error) {
	err = s.write(ctx, func(tx session) error {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return err
		}
		last, err := tx.counter(ctx, changeCounter)
		if err != nil {
			return err
		}
		lag = max(0, last-node.Applied)
		if err := tx.replaceNode(ctx, node, now, lag); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "DELETE FROM nodes WHERE seen_at <= ? OR id <> ? AND hostname = ? AND address = ? AND seen_at <= ?",
			tx.time(now.Add(-forgetNodeAfter)), node.ID, node.Hostname, node.Address, tx.time(now.Add(-replaceNodeAfter)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return lag, nil
}

func (s session) replaceNode(ctx context.Context, node domain.Node, now time.Time, lag int64) error {
	values := []any{
		node.Hostname, node.PID, node.Address, node.Version, s.time(node.StartedAt), s.time(now), node.Applied, lag, node.ID,
	}
	rows, err := s.exec(ctx, `UPDATE nodes SET hostname = ?, pid = ?, address = ?, version = ?, started_at = ?, seen_at = ?,
		applied = ?, behind = ? WHERE id = ?`, values...)
	if err != nil || rows > 0 {
		return err
	}
	return s.insertRows(ctx, "nodes", []string{
		"hostname", "pid", "address", "version", "started_at", "seen_at", "applied", "behind", "id",
	}, values)
}

// ForgetNode implements store.Replicas.
func (s *Store) ForgetNode(ctx context.Context, id string) error {
	return s.write(ctx, func(tx session) error {
		_, err := tx.exec(ctx, "DELETE FROM nodes WHERE id = ?", id)
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
		nodes, err = collect(ctx, tx, scanNode, `SELECT id, hostname, pid, address, version, started_at, seen_at, applied, behind
			FROM nodes WHERE seen_at > ? ORDER BY started_at, id`, tx.time(now.Add(-forgetNodeAfter)))
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
	err = scan(&n.ID, &n.Hostname, &n.PID, &n.Address, &n.Version, instant{&n.StartedAt}, instant{&n.SeenAt}, &n.Applied, &n.Lag)
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
