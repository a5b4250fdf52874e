package storetest

import (
	"strconv"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

func flushNow(f *fixture, policy store.FlushPolicy) store.Flushed {
	f.t.Helper()
	flushed, err := f.Flush(f.t.Context(), policy)
	succeed(f.t, "flushing", err)
	return flushed
}

// flushAlerts is a table of policies, each applied to six alerts that are a minute apart. The first two have
// decisions, which end one minute, and two hours and one minute, after the start.
func flushAlerts(f *fixture) {
	for name, row := range map[string]struct {
		policy store.FlushPolicy
		at     time.Duration
		want   []string
	}{
		"no policy":                   {store.FlushPolicy{}, 24 * time.Hour, []string{"0", "1", "2", "3", "4", "5"}},
		"age, the edge":               {store.FlushPolicy{MaxAlertAge: time.Hour}, 62 * time.Minute, []string{"1", "3", "4", "5"}},
		"age, when all has ended":     {store.FlushPolicy{MaxAlertAge: time.Hour}, 200 * time.Minute, nil},
		"items":                       {store.FlushPolicy{MaxAlerts: 2}, 10 * time.Minute, []string{"1", "3", "4", "5"}},
		"items, when all has ended":   {store.FlushPolicy{MaxAlerts: 2}, 200 * time.Minute, []string{"3", "4", "5"}},
		"more items than there are":   {store.FlushPolicy{MaxAlerts: 100}, 200 * time.Minute, []string{"0", "1", "2", "3", "4", "5"}},
		"age and items":               {store.FlushPolicy{MaxAlerts: 1, MaxAlertAge: time.Hour}, 62 * time.Minute, []string{"1", "4", "5"}},
		"items but decisions last on": {store.FlushPolicy{MaxAlerts: 1}, 0, []string{"0", "1", "4", "5"}},
	} {
		_, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{}, f.clock.Now())
		succeed(f.t, "emptying the store", err)
		start := f.clock.Now()
		addAgingAlerts(f)
		f.clock.advance(start.Add(row.at).Sub(f.clock.Now()))
		flushed := flushNow(f, row.policy)
		var left []string
		for _, alert := range alertsNow(f, store.AlertFilter{OldestFirst: true}) {
			left = append(left, alert.Message)
			equal(f.t, name+": events", len(alert.Events), 2)
		}
		equal(f.t, name, left, row.want)
		equal(f.t, name+": what went", flushed, store.Flushed{Alerts: 6 - len(row.want)})
		equal(f.t, name+": decisions left", len(decisionsNow(f, store.DecisionFilter{})), decisionsOf(row.want))
	}
}

func addAgingAlerts(f *fixture) {
	start := f.clock.Now()
	for i := range 6 {
		alert := domain.Alert{Message: strconv.Itoa(i), Events: make([]domain.AlertEvent, 2), Meta: make([]domain.KeyValue, 2)}
		if i < 2 {
			until := start.Add(time.Minute + time.Duration(i)*2*time.Hour)
			alert.Decisions = []domain.Decision{{Scope: "s", Value: "v", Until: until}}
		}
		addAlerts(f, alert)
		f.clock.advance(time.Minute)
	}
}

func decisionsOf(alerts []string) (count int) {
	for _, message := range alerts {
		if message < "2" {
			count++
		}
	}
	return count
}

func flushBatches(f *fixture) {
	const count = 600
	alerts := make([]domain.Alert, count)
	for i := range alerts {
		alerts[i] = lasting(f, "v")
	}
	addAlerts(f, alerts...)
	policy := store.FlushPolicy{MaxAlertAge: time.Minute, MaxChangeAge: time.Minute}
	equal(f.t, "while they last", flushNow(f, policy), store.Flushed{})
	f.clock.advance(2 * time.Hour)
	equal(f.t, "afterwards", flushNow(f, policy), store.Flushed{Alerts: count, Changes: count})
	equal(f.t, "again", flushNow(f, policy), store.Flushed{})
	equal(f.t, "decisions", len(decisionsNow(f, store.DecisionFilter{})), 0)
	last := snapshotNow(f).Seq
	addAlerts(f, lasting(f, "w"))
	if next := snapshotNow(f).Seq; next <= last || last < count {
		f.t.Fatalf("last change %d after the flush, then %d", last, next)
	}
}

func flushAges(f *fixture) {
	addMachine(f, domain.Machine{ID: "m"})
	createList(f, domain.Allowlist{Name: "a"})
	write := func() {
		addUsage(f, domain.UsageLogProcessor, "m", store.UsageSender{})
		succeed(f.t, "auditing", f.AddAudit(f.t.Context(), []domain.AuditEntry{{Action: "a"}}))
	}
	write()
	addItems(f, "a", domain.AllowlistItem{Value: "192.0.2.1", ExpiresAt: f.clock.Now().Add(time.Minute)}, domain.AllowlistItem{Value: "192.0.2.2"})
	f.clock.advance(time.Minute)
	write()
	equal(f.t, "without policy", flushNow(f, store.FlushPolicy{}), store.Flushed{})
	revision := revisionNow(f)
	policy := store.FlushPolicy{MaxUsageAge: time.Minute, MaxAuditAge: time.Minute, ExpiredAllowlist: true}
	equal(f.t, "the edge", flushNow(f, policy), store.Flushed{UsageReports: 1, AuditEntries: 1, AllowlistItems: 1})
	equal(f.t, "again", flushNow(f, policy), store.Flushed{})
	equal(f.t, "reports left", len(usageNow(f, time.Time{})), 1)
	equal(f.t, "entries left", len(auditNow(f, 10)), 1)
	equal(f.t, "items left", len(listsNow(f)[0].Items), 1)
	equal(f.t, "revision: what is left out is the same", revisionNow(f), revision)
}

func flushIdle(f *fixture) {
	now := f.clock.Now()
	for _, m := range []domain.Machine{
		{ID: "idle", AuthType: domain.AuthTLS, IPAddress: "192.0.2.1", LastHeartbeat: now},
		{ID: "password", AuthType: domain.AuthPassword, IPAddress: "192.0.2.1", LastHeartbeat: now},
		{ID: "local", AuthType: domain.AuthTLS, IPAddress: "127.0.0.1", LastHeartbeat: now},
		{ID: "local6", AuthType: domain.AuthTLS, IPAddress: "::1", LastHeartbeat: now},
		{ID: "never", AuthType: domain.AuthTLS, IPAddress: "192.0.2.1"},
		{ID: "alerting", AuthType: domain.AuthTLS, IPAddress: "192.0.2.1", LastHeartbeat: now},
		{ID: "fresh", AuthType: domain.AuthTLS, IPAddress: "192.0.2.1", LastHeartbeat: now.Add(time.Microsecond)},
	} {
		addMachine(f, m)
	}
	for _, b := range []domain.Bouncer{
		{Name: "idle", AuthType: domain.AuthAPIKey, LastPull: now},
		{Name: "cert", AuthType: domain.AuthTLS, LastPull: now},
		{Name: "never", AuthType: domain.AuthAPIKey},
		{Name: "fresh", AuthType: domain.AuthAPIKey, LastPull: now.Add(time.Microsecond)},
	} {
		addBouncer(f, b)
	}
	addAlerts(f, domain.Alert{MachineID: "alerting"})
	f.clock.advance(time.Hour)
	policy := store.FlushPolicy{
		IdleMachines: map[domain.AuthType]time.Duration{domain.AuthTLS: time.Hour},
		IdleBouncers: map[domain.AuthType]time.Duration{domain.AuthAPIKey: time.Hour},
	}
	equal(f.t, "what went", flushNow(f, policy), store.Flushed{Machines: 1, Bouncers: 1})
	machines, err := f.Machines(f.t.Context())
	succeed(f.t, "listing machines", err)
	var names []string
	for _, m := range machines {
		names = append(names, m.ID)
	}
	equal(f.t, "machines left", names, []string{"password", "local", "local6", "never", "alerting", "fresh"})
	names = nil
	for _, b := range bouncersNow(f, store.BouncerFilter{}) {
		names = append(names, b.Name)
	}
	equal(f.t, "bouncers left", names, []string{"cert", "never", "fresh"})
}

// flushChanges checks which entries of the log go, and that the others stay in order.
func flushChanges(f *fixture) {
	addAlerts(f, lasting(f, "ended", "kept"))
	f.clock.advance(time.Minute)
	expire(f, store.DecisionFilter{Value: "ended"})
	policy := store.FlushPolicy{MaxChangeAge: time.Hour}
	equal(f.t, "addition of what has ended", flushNow(f, policy), store.Flushed{Changes: 1})
	f.clock.advance(58 * time.Minute)
	equal(f.t, "removal that is young", flushNow(f, policy), store.Flushed{})
	equal(f.t, "changes", removals(changesNow(f, 0)), []bool{false, true})
	f.clock.advance(time.Minute)
	equal(f.t, "removal whose decision would have ended, but is young", flushNow(f, store.FlushPolicy{MaxChangeAge: 2 * time.Hour}), store.Flushed{Changes: 1})
	f.clock.advance(time.Minute)
	equal(f.t, "removal that is old", flushNow(f, policy), store.Flushed{Changes: 1})
	equal(f.t, "changes", len(changesNow(f, 0)), 0)
}

func removals(changes []store.Change) []bool {
	var removed []bool
	for _, change := range changes {
		removed = append(removed, change.Removed)
	}
	return removed
}
