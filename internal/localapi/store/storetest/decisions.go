package storetest

import (
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

func decisionsNow(f *fixture, filter store.DecisionFilter) []domain.Decision {
	f.t.Helper()
	found, err := f.Decisions(f.t.Context(), filter)
	succeed(f.t, "reading decisions", err)
	return found
}

func uuids(decisions []domain.Decision) []string {
	var all []string
	for _, d := range decisions {
		all = append(all, d.UUID)
	}
	return all
}

func decisionSimulated(f *fixture) {
	simulated, enforced := fullAlert(f), fullAlert(f)
	simulated.UUID, simulated.Simulated = "simulated", true
	enforced.UUID = "enforced"
	enforced.Decisions = slices.Clone(enforced.Decisions)
	enforced.Decisions[0].Simulated = true
	for i, id := range addAlerts(f, simulated, enforced) {
		for _, d := range alertNow(f, id).Decisions {
			equal(f.t, "simulated", d.Simulated, i == 0)
		}
	}
}

// filterDecisions are told apart by their UUID.
func filterDecisions(f *fixture) {
	f.t.Helper()
	now := f.clock.Now()
	addAlerts(f, domain.Alert{Decisions: []domain.Decision{
		{UUID: "host", Origin: "crowdsec", Type: "ban", Scenario: "s/a", Scope: "Ip", Value: "192.0.2.7", Until: now.Add(time.Hour)},
		{UUID: "mapped", Origin: "crowdsec", Type: "ban", Scenario: "s/b", Scope: "Ip", Value: "::ffff:192.0.2.7", Until: now.Add(time.Hour)},
		{UUID: "net", Origin: "cscli", Type: "ban", Scenario: "s/a", Scope: "Range", Value: "192.0.2.0/24", Until: now.Add(time.Hour)},
		{UUID: "old", Origin: "cscli", Type: "captcha", Scenario: "s/a", Scope: "Ip", Value: "192.0.2.7", Until: now},
	}})
	f.clock.advance(time.Second)
	addAlerts(f, domain.Alert{Decisions: []domain.Decision{
		{UUID: "six", Origin: "crowdsec", Type: "ban", Scenario: "s/c", Scope: "Range", Value: "2001:db8::/32", Until: now.Add(time.Hour)},
		{UUID: "user", Origin: "lists", Type: "ban", Scenario: "s/c", Scope: "username", Value: "192.0.2.7", Until: now.Add(time.Hour)},
	}})
}

func decisionFilters(f *fixture) {
	start := f.clock.Now()
	filterDecisions(f)
	all := []string{"host", "mapped", "net", "old", "six", "user"}
	known := decisionsNow(f, store.DecisionFilter{})
	for name, row := range map[string]struct {
		filter store.DecisionFilter
		want   []string
	}{
		"all":           {store.DecisionFilter{}, all},
		"ids":           {store.DecisionFilter{IDs: []int64{known[4].ID, known[0].ID, 4711}}, []string{"host", "six"}},
		"uuids":         {store.DecisionFilter{UUIDs: []string{"six", "old", "ghost"}}, []string{"old", "six"}},
		"scope":         {store.DecisionFilter{Scope: "Range"}, []string{"net", "six"}},
		"value":         {store.DecisionFilter{Value: "192.0.2.7"}, []string{"host", "old", "user"}},
		"type":          {store.DecisionFilter{Type: "captcha"}, []string{"old"}},
		"origin":        {store.DecisionFilter{Origin: "lists"}, []string{"user"}},
		"scenario":      {store.DecisionFilter{Scenario: "s/a"}, []string{"host", "net", "old"}},
		"covering":      {store.DecisionFilter{Range: ipRange(f, "192.0.2.7")}, []string{"host", "mapped", "net", "old"}},
		"covering net":  {store.DecisionFilter{Range: ipRange(f, "192.0.2.0/25")}, []string{"net"}},
		"inside":        {store.DecisionFilter{Range: ipRange(f, "192.0.2.0/29"), Inside: true}, []string{"host", "mapped", "old"}},
		"IPv6 covering": {store.DecisionFilter{Range: ipRange(f, "2001:db8:ffff::1")}, []string{"six"}},
		"IPv6 beside":   {store.DecisionFilter{Range: ipRange(f, "2001:db9::1")}, nil},
		"IPv6 inside":   {store.DecisionFilter{Range: ipRange(f, "2001::/16"), Inside: true}, []string{"six"}},
		"created since": {store.DecisionFilter{CreatedSince: start.Add(time.Second)}, []string{"six", "user"}},
		"combined":      {store.DecisionFilter{Value: "192.0.2.7", Origin: "crowdsec", Range: ipRange(f, "192.0.2.7")}, []string{"host"}},
	} {
		equal(f.t, name, uuids(decisionsNow(f, row.filter)), row.want)
	}
}

func expire(f *fixture, filter store.DecisionFilter) int {
	f.t.Helper()
	count, err := f.ExpireDecisions(f.t.Context(), filter, f.clock.Now())
	succeed(f.t, "expiring", err)
	return count
}

func decisionExpiry(f *fixture) {
	filterDecisions(f)
	now := f.clock.advance(time.Second)
	before := decisionsNow(f, store.DecisionFilter{})
	equal(f.t, "active ones of a value", expire(f, store.DecisionFilter{Value: "192.0.2.7"}), 2)
	equal(f.t, "again", expire(f, store.DecisionFilter{Value: "192.0.2.7"}), 0)
	for i, d := range decisionsNow(f, store.DecisionFilter{}) {
		want := before[i]
		if d.UUID == "host" || d.UUID == "user" {
			want.Until = now
		}
		equal(f.t, "decision "+d.UUID, d, want)
	}
	equal(f.t, "the rest", expire(f, store.DecisionFilter{}), 3)
	equal(f.t, "snapshot", len(snapshotNow(f).Decisions), 0)
}

func decisionExpiryByID(f *fixture) {
	filterDecisions(f)
	start := snapshotNow(f).Seq
	old := decisionsNow(f, store.DecisionFilter{UUIDs: []string{"old"}})[0]
	var removals []store.Change
	for range 2 {
		old.Until = f.clock.advance(time.Second)
		equal(f.t, "expired", expire(f, store.DecisionFilter{IDs: []int64{old.ID}}), 1)
		equal(f.t, "decision", decisionsNow(f, store.DecisionFilter{IDs: []int64{old.ID}}), []domain.Decision{old})
		removals = append(removals, store.Change{Seq: snapshotNow(f).Seq, Removed: true, Decision: old})
	}
	equal(f.t, "changes", changesNow(f, start), removals)
	equal(f.t, "unknown", expire(f, store.DecisionFilter{IDs: []int64{4711}}), 0)
}
