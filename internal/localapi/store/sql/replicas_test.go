package sql_test

import (
	"slices"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store/sql"
)

// TestNodesAreForgotten: after an hour of silence, and sooner when another one has taken their place.
func TestNodesAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	s := openAny(t, sql.Config{Type: "sqlite", Path: newPath(t), Now: func() time.Time { return now }})
	expect := func(want ...string) {
		t.Helper()
		nodes, err := s.Nodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, node := range nodes {
			got = append(got, node.ID)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	see := func(id, hostname, address string) {
		t.Helper()
		if _, err := s.SeenNode(t.Context(), domain.Node{ID: id, Hostname: hostname, Address: address, StartedAt: now}); err != nil {
			t.Fatal(err)
		}
	}
	see("killed", "a", ":8080")
	see("other port", "a", ":8081")
	see("other host", "b", ":8080")
	now = now.Add(19 * time.Second)
	see("new", "a", ":8080")
	expect("killed", "new", "other host", "other port") // two hosts may have one name by mistake
	now = now.Add(time.Second)
	see("new", "a", ":8080")
	expect("new", "other host", "other port")
	now = now.Add(time.Hour)
	expect()
	see("new", "a", ":8080")
	expect("new")
}
