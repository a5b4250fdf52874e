package storetest

import (
	"time"

	"shieldwall/internal/domain"
)

const farAhead = time.Hour // longer than any test takes, whosever clock it is

func acquire(f *fixture, job, holder string, ttl time.Duration) bool {
	f.t.Helper()
	acquired, err := f.Acquire(f.t.Context(), job, holder, ttl)
	succeed(f.t, holder+" acquiring "+job, err)
	return acquired
}

func leaseHeldByOne(f *fixture) {
	equal(f.t, "free lease", acquire(f, "pull", "a", farAhead), true)
	equal(f.t, "lease of another", acquire(f, "pull", "b", farAhead), false)
	equal(f.t, "another job", acquire(f, "flush", "b", farAhead), true)
	equal(f.t, "renewal", acquire(f, "pull", "a", farAhead), true)
	equal(f.t, "after the renewal", acquire(f, "pull", "b", farAhead), false)
}

func leaseRunsOut(f *fixture) {
	equal(f.t, "lease that has run out", acquire(f, "pull", "a", -time.Second), true)
	equal(f.t, "takeover", acquire(f, "pull", "b", farAhead), true)
	equal(f.t, "the one before", acquire(f, "pull", "a", farAhead), false)
	equal(f.t, "renewal into the past", acquire(f, "pull", "b", -time.Second), true)
	equal(f.t, "takeover back", acquire(f, "pull", "a", farAhead), true)
}

func leaseReleased(f *fixture) {
	acquire(f, "pull", "a", farAhead)
	succeed(f.t, "releasing what another holds", f.Release(f.t.Context(), "pull", "b"))
	equal(f.t, "lease of another", acquire(f, "pull", "b", farAhead), false)
	succeed(f.t, "releasing", f.Release(f.t.Context(), "pull", "a"))
	equal(f.t, "released lease", acquire(f, "pull", "b", farAhead), true)
	succeed(f.t, "releasing nothing", f.Release(f.t.Context(), "unknown", "b"))
}

func nodesNow(f *fixture) []domain.Node {
	f.t.Helper()
	nodes, err := f.Nodes(f.t.Context())
	succeed(f.t, "reading nodes", err)
	for i := range nodes {
		if nodes[i].SeenAt.IsZero() {
			f.t.Fatalf("node was never seen: %+v", nodes[i])
		}
		nodes[i].SeenAt = time.Time{} // of the database's clock
	}
	return nodes
}

// see stores a sign of life and returns the lag.
func see(f *fixture, node domain.Node) int64 {
	f.t.Helper()
	lag, err := f.SeenNode(f.t.Context(), node)
	succeed(f.t, "seeing "+node.ID, err)
	return lag
}

func nodeRoundTrip(f *fixture) {
	equal(f.t, "nobody", len(nodesNow(f)), 0)
	first := domain.Node{
		ID: "n-2", Hostname: "one", PID: 1 << 22, Address: "192.0.2.1:8080", Version: "v1", StartedAt: f.clock.Now(), Applied: 1 << 40,
	}
	second := domain.Node{ID: "n-1", StartedAt: f.clock.advance(time.Second)}
	see(f, second)
	see(f, first)
	equal(f.t, "nodes", nodesNow(f), []domain.Node{first, second})

	first.Applied++
	see(f, first)
	acquire(f, "pull", "n-1", farAhead)
	acquire(f, "flush", "n-1", farAhead)
	acquire(f, "report", "n-1", -time.Second)
	acquire(f, "other", "gone", farAhead)
	second.Leases = []string{"flush", "pull"}
	equal(f.t, "nodes with leases", nodesNow(f), []domain.Node{first, second})

	succeed(f.t, "forgetting", f.ForgetNode(f.t.Context(), "n-1"))
	succeed(f.t, "forgetting nobody", f.ForgetNode(f.t.Context(), "unknown"))
	equal(f.t, "nodes that are left", nodesNow(f), []domain.Node{first})
}

// nodeLag: what was committed and is not applied is the lag as of the sign of life.
func nodeLag(f *fixture) {
	node := domain.Node{ID: "n", StartedAt: f.clock.Now()}
	equal(f.t, "lag without changes", see(f, node), int64(0))
	addAlerts(f, lasting(f, "a", "b"))
	equal(f.t, "lag of two", see(f, node), int64(2))
	equal(f.t, "stored lag", nodesNow(f)[0].Lag, int64(2))
	node.Applied = 1
	equal(f.t, "lag of one", see(f, node), int64(1))
	node.Applied = 3
	equal(f.t, "lag of who is ahead", see(f, node), int64(0))
	equal(f.t, "stored lag", nodesNow(f)[0].Lag, int64(0))
}
