package lapi

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
)

// silence is how long a node may give no sign of life before the list warns: it gives one every five seconds.
const silence = 15 * time.Second

func newNodes(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "nodes",
		Short: "List the Local APIs that share the database [requires local API]",
		Long: "List the Local APIs that share the database: those that run, and for an hour those that ended without saying so.\n" +
			"A lease is work that only one of them does. The lag is how many changes of decisions one did not know yet.",
		Example: "cscli lapi nodes",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			nodes, err := db.Nodes(ctx)
			if err != nil {
				return err
			}
			return nodesAt(s.Now()).Print(s, nodes)
		}),
	}
}

// node is a Local API as JSON.
type node struct {
	ID        string    `json:"id"`
	Hostname  string    `json:"hostname"`
	PID       int       `json:"pid"`
	Address   string    `json:"address"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	LastSeen  time.Time `json:"last_seen"`
	Leases    []string  `json:"leases"`
	Applied   int64     `json:"applied"`
	Lag       int64     `json:"lag"`
}

func nodeOf(n domain.Node) any {
	return node{
		ID: n.ID, Hostname: n.Hostname, PID: n.PID, Address: n.Address, Version: n.Version, StartedAt: n.StartedAt,
		LastSeen: n.SeenAt, Leases: append([]string{}, n.Leases...), Applied: n.Applied, Lag: n.Lag,
	}
}

// nodesAt is the list of nodes as it looks now.
func nodesAt(now time.Time) listing.List[domain.Node] {
	return listing.List[domain.Node]{
		Record: nodeOf,
		Header: []string{"Node", "Address", "Version", "Started", "Last Seen", "Leases", "Lag"},
		Row: func(n domain.Node) []string {
			return []string{
				n.Hostname, n.Address, n.Version, age(n.StartedAt, now), lastSeen(n, now), strings.Join(n.Leases, ","), number(n.Lag),
			}
		},
		RawHeader: []string{"id", "hostname", "pid", "address", "version", "started_at", "last_seen", "leases", "applied", "lag"},
		RawRow: func(n domain.Node) []string {
			return []string{
				n.ID, n.Hostname, strconv.Itoa(n.PID), n.Address, n.Version, n.StartedAt.Format(time.RFC3339),
				n.SeenAt.Format(time.RFC3339), strings.Join(n.Leases, " "), number(n.Applied), number(n.Lag),
			}
		},
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// lastSeen says how long ago a node was alive, with a warning when that is too long ago.
func lastSeen(n domain.Node, now time.Time) string {
	if now.Sub(n.SeenAt) > silence {
		return table.Warning + " " + age(n.SeenAt, now)
	}
	return age(n.SeenAt, now)
}

// age says how long ago something was, with two units at most. Clocks that differ do not make it negative.
func age(then, now time.Time) string {
	const day = 24 * time.Hour
	passed := max(0, now.Sub(then)).Truncate(time.Second)
	switch {
	case passed >= day:
		return strconv.Itoa(int(passed/day)) + "d" + strconv.Itoa(int(passed%day/time.Hour)) + "h"
	case passed >= time.Hour:
		return strings.TrimSuffix(passed.Truncate(time.Minute).String(), "0s")
	}
	return passed.String()
}
