package storetest

import (
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func addUsage(f *fixture, kind domain.UsageKind, from string, about store.UsageSender) domain.UsageReport {
	f.t.Helper()
	report := domain.UsageReport{Kind: kind, From: from, Payload: `{"metrics":[],"type":"<é>"}`}
	succeed(f.t, "adding a report of "+from, f.AddUsage(f.t.Context(), report, about))
	report.ReceivedAt = f.clock.Now()
	return report
}

func usageNow(f *fixture, since time.Time) []domain.UsageReport {
	f.t.Helper()
	reports, err := f.UsageReports(f.t.Context(), since)
	succeed(f.t, "reading reports", err)
	for i := range reports {
		if i > 0 && reports[i].ID <= reports[i-1].ID {
			f.t.Fatalf("reports are not by ID: %+v", reports)
		}
	}
	for i := range reports {
		reports[i].ID = 0
	}
	return reports
}

func usageRoundTrip(f *fixture) {
	addMachine(f, domain.Machine{ID: "web-1"})
	addBouncer(f, domain.Bouncer{Name: "fw"})
	start := f.clock.Now()
	first := addUsage(f, domain.UsageLogProcessor, "web-1", store.UsageSender{})
	f.clock.advance(time.Minute)
	second := addUsage(f, domain.UsageRemediation, "fw", store.UsageSender{})
	third := addUsage(f, domain.UsageLogProcessor, "web-1", store.UsageSender{})
	equal(f.t, "all", usageNow(f, time.Time{}), []domain.UsageReport{first, second, third})
	equal(f.t, "since the first", usageNow(f, start), []domain.UsageReport{first, second, third})
	equal(f.t, "after the first", usageNow(f, start.Add(time.Microsecond)), []domain.UsageReport{second, third})
}

func usageSender(f *fixture) {
	machine := addMachine(f, fullMachine(f))
	bouncer := addBouncer(f, fullBouncer(f))
	now := f.clock.advance(time.Minute)
	about := store.UsageSender{
		Version: "v9", OSName: "Arch", OSFamily: "arch", OSVersion: "rolling", FeatureFlags: []string{"a", "b"},
		HubState: `{"parsers":[]}`, Datasources: `{"file":1}`,
	}
	addUsage(f, domain.UsageLogProcessor, machine.ID, about)
	addUsage(f, domain.UsageRemediation, bouncer.Name, about)
	machine.Version, machine.OSName, machine.OSFamily, machine.OSVersion, machine.UpdatedAt = "v9", "Arch", "arch", "rolling", now
	machine.FeatureFlags, machine.HubState, machine.Datasources = about.FeatureFlags, about.HubState, about.Datasources
	stored := machineNow(f, machine.ID)
	stored.HubState, stored.Datasources = strings.ReplaceAll(stored.HubState, " ", ""), strings.ReplaceAll(stored.Datasources, " ", "")
	equal(f.t, "machine", stored, machine)
	bouncer.Version, bouncer.UpdatedAt = "v9", now
	bouncer.OSName, bouncer.OSFamily, bouncer.OSVersion, bouncer.FeatureFlags = "Arch", "arch", "rolling", about.FeatureFlags
	equal(f.t, "bouncer", bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{bouncer})
}

func usageOfNobody(f *fixture) {
	addMachine(f, domain.Machine{ID: "machine"})
	addBouncer(f, domain.Bouncer{Name: "bouncer"})
	for from, kind := range map[string]domain.UsageKind{"machine": domain.UsageRemediation, "bouncer": domain.UsageLogProcessor} {
		err := f.AddUsage(f.t.Context(), domain.UsageReport{Kind: kind, From: from}, store.UsageSender{Version: "v1"})
		equal(f.t, "kind of error", fault.KindOf(err), fault.NotFound)
	}
	err := f.AddUsage(f.t.Context(), domain.UsageReport{Kind: "XX", From: "machine"}, store.UsageSender{})
	equal(f.t, "kind of error of an unknown kind", fault.KindOf(err), fault.Invalid)
	equal(f.t, "reports", len(usageNow(f, time.Time{})), 0)
}
