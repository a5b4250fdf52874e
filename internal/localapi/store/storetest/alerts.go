package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func fullAlert(f *fixture) domain.Alert {
	now := f.clock.Now()
	return domain.Alert{
		UUID: "0d9c3f6e-7b0a-4a4e-8d8c-6b7a8a1f0c01", MachineID: "web-1", Kind: "crowdsec",
		Scenario: "crowdsecurity/ssh-bf", ScenarioHash: "abc", ScenarioVersion: "0.3",
		Message: "Ip 192.0.2.7 did it — twice", EventsCount: 6, Capacity: -1, Leakspeed: "10s",
		StartAt: now.Add(-time.Minute), StopAt: now.Add(-time.Second), Remediation: true,
		Source: domain.Source{
			Scope: domain.ScopeIP, Value: "192.0.2.7", IP: "192.0.2.7", Range: "192.0.2.0/24",
			ASNumber: "64496", ASName: "EXAMPLE", Country: "FR", Latitude: 48.8566, Longitude: -2.3522,
		},
		Events: []domain.AlertEvent{
			{Time: now.Add(-time.Minute), Meta: []domain.KeyValue{{Key: "z", Value: "<1> & \"2\""}, {Key: "a", Value: ""}}},
			{Time: now.Add(-2 * time.Minute)},
		},
		Meta: []domain.KeyValue{{Key: "user", Value: `["root"]`}, {Key: "method", Value: `["password"]`}},
		Decisions: []domain.Decision{
			{
				UUID: "u-1", Origin: "crowdsec", Type: "ban", Scenario: "crowdsecurity/ssh-bf",
				Scope: domain.ScopeIP, Value: "192.0.2.7", Until: now.Add(4 * time.Hour),
			},
			{
				UUID: "u-2", Origin: "crowdsec", Type: "captcha", Scenario: "crowdsecurity/ssh-bf",
				Scope: "username", Value: "root", Until: now.Add(-time.Hour),
			},
		},
	}
}

// stored is what reading an alert returns that was added now and got the ID. It takes from read what only the
// store knows: the IDs of decisions, and the UUIDs that were empty.
func stored(t tester, f *fixture, a domain.Alert, id int64, read domain.Alert) domain.Alert {
	t.Helper()
	a.ID, a.CreatedAt = id, f.clock.Now()
	if a.UUID == "" {
		a.UUID = read.UUID
	}
	equal(t, "number of decisions", len(read.Decisions), len(a.Decisions))
	a.Decisions = slices.Clone(a.Decisions)
	for i := range a.Decisions {
		d := &a.Decisions[i]
		d.ID, d.AlertID, d.CreatedAt, d.Simulated = read.Decisions[i].ID, id, a.CreatedAt, a.Simulated
		if d.UUID == "" {
			d.UUID = read.Decisions[i].UUID
		}
		if d.ID == 0 || d.UUID == "" {
			t.Fatalf("decision has no ID or no UUID: %+v", *d)
		}
	}
	return a
}

func addAlerts(f *fixture, alerts ...domain.Alert) []int64 {
	f.t.Helper()
	ids, err := f.AddAlerts(f.t.Context(), alerts)
	succeed(f.t, "adding alerts", err)
	equal(f.t, "number of IDs", len(ids), len(alerts))
	return ids
}

func alertNow(f *fixture, id int64) domain.Alert {
	f.t.Helper()
	a, err := f.Alert(f.t.Context(), id)
	succeed(f.t, fmt.Sprintf("reading alert %d", id), err)
	return a
}

func alertsNow(f *fixture, filter store.AlertFilter) []domain.Alert {
	f.t.Helper()
	found, err := f.Alerts(f.t.Context(), filter)
	succeed(f.t, "reading alerts", err)
	return found
}

func messages(alerts []domain.Alert) []string {
	var all []string
	for _, a := range alerts {
		all = append(all, a.Message)
	}
	return all
}

func alertRoundTrip(f *fixture) {
	addMachine(f, domain.Machine{ID: "other"})
	addMachine(f, domain.Machine{ID: "web-1"})
	alert := fullAlert(f)
	id := addAlerts(f, alert)[0]
	read := alertNow(f, id)
	equal(f.t, "alert", read, stored(f.t, f, alert, id, read))
	equal(f.t, "listed alert", alertsNow(f, store.AlertFilter{}), []domain.Alert{read})
}

func alertMinimal(f *fixture) {
	alert := domain.Alert{MachineID: "unknown", Scenario: "s"}
	id := addAlerts(f, alert)[0]
	read := alertNow(f, id)
	want := stored(f.t, f, alert, id, read)
	want.MachineID = ""
	want.Decisions = nil
	equal(f.t, "alert", read, want)

	none, err := f.AddAlerts(f.t.Context(), nil)
	succeed(f.t, "adding nothing", err)
	equal(f.t, "IDs of nothing", len(none), 0)
}

func alertMissing(f *fixture) {
	addAlerts(f, fullAlert(f))
	_, err := f.Alert(f.t.Context(), 4711)
	equal(f.t, "kind of error", fault.KindOf(err), fault.NotFound)
}

func alertIdempotence(f *fixture) {
	first, second := fullAlert(f), fullAlert(f)
	second.UUID, second.Message = "0d9c3f6e-7b0a-4a4e-8d8c-6b7a8a1f0c02", "second"
	again := first
	again.Message = "again"

	ids := addAlerts(f, first, second, again)
	equal(f.t, "ID of the repetition in one request", ids[2], ids[0])
	before := snapshotNow(f)
	equal(f.t, "IDs of the repeated request", addAlerts(f, again, second), ids[:2])
	equal(f.t, "alerts", messages(alertsNow(f, store.AlertFilter{})), []string{"second", first.Message})
	equal(f.t, "snapshot after the repetition", snapshotNow(f), before)
	equal(f.t, "additions in the log", len(changesNow(f, 0)), 4)
}

func alertWithoutUUID(f *fixture) {
	alert := domain.Alert{Scenario: "s", Decisions: []domain.Decision{{Scope: "user", Value: "x"}, {Scope: "user", Value: "y"}}}
	ids := addAlerts(f, alert, alert)
	a, b := alertNow(f, ids[0]), alertNow(f, ids[1])
	seen := map[string]bool{
		a.UUID: true, b.UUID: true,
		a.Decisions[0].UUID: true, a.Decisions[1].UUID: true, b.Decisions[0].UUID: true, b.Decisions[1].UUID: true,
	}
	equal(f.t, "different UUIDs", len(seen), 6)
	equal(f.t, "no UUID is empty", seen[""], false)
}

func alertAllOrNone(f *fixture) {
	good, bad := fullAlert(f), fullAlert(f)
	bad.UUID = "bad"
	bad.Decisions = []domain.Decision{{Scope: domain.ScopeRange, Value: "192.0.2.0/33"}}
	_, err := f.AddAlerts(f.t.Context(), []domain.Alert{good, bad})
	equal(f.t, "kind of error", fault.KindOf(err), fault.Invalid)
	equal(f.t, "alerts", len(alertsNow(f, store.AlertFilter{})), 0)
	equal(f.t, "changes", len(changesNow(f, 0)), 0)
}

// alertOddTexts checks that what an engine cannot store as it is does not refuse the alert, or those beside it: its
// sender would try for ever.
func alertOddTexts(f *fixture) {
	long, longer := strings.Repeat("é", 255), strings.Repeat("é", 5000)
	for name, text := range map[string]string{"zero": "a\x00b", "not UTF-8": "a\xffb", "long": longer, "emoji": "\U0001F525"} {
		alert := domain.Alert{
			UUID: name, Kind: text, Scenario: text, ScenarioHash: text, ScenarioVersion: text, Message: text, Leakspeed: text,
			Source: domain.Source{Scope: domain.Scope(text), Value: text, IP: text, Range: text, ASNumber: text, ASName: text, Country: text},
			Events: []domain.AlertEvent{{Meta: []domain.KeyValue{{Key: text, Value: text}, {Key: "k", Value: text}}}},
			Meta:   []domain.KeyValue{{Key: text, Value: text}},
			Decisions: []domain.Decision{{
				Origin: text, Type: text, Scenario: text, Scope: domain.Scope(text), Value: text, Until: f.clock.Now().Add(time.Hour),
			}},
		}
		ids := addAlerts(f, alert, domain.Alert{UUID: "beside " + name, Message: name})
		read := alertNow(f, ids[0])
		equal(f.t, name+": the alert beside it", alertNow(f, ids[1]).Message, name)
		for _, got := range []string{read.Scenario, read.Message, read.Source.Value, read.Decisions[0].Value} {
			if text == longer && !strings.HasPrefix(got, long) || text != longer && (got[:1] != text[:1] || got[len(got)-1:] != text[len(text)-1:]) {
				f.t.Fatalf("%s: stored %q", name, got)
			}
		}
		equal(f.t, name+": decision in the log", changesNow(f, 0)[len(changesNow(f, 0))-1].Decision, read.Decisions[0])
		equal(f.t, name+": removed", expire(f, store.DecisionFilter{IDs: []int64{read.Decisions[0].ID}}), 1)
	}
}

// alertOddTimes checks that times before and after what engines were made for do not refuse an alert.
func alertOddTimes(f *fixture) {
	for name, at := range map[string]time.Time{
		"zero": {}, "long ago": time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), "after 2038": time.Date(2050, 1, 1, 0, 0, 0, 1000, time.UTC),
		"far ahead": time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		id := addAlerts(f, domain.Alert{StartAt: at, StopAt: at, Events: []domain.AlertEvent{{Time: at}}, Decisions: []domain.Decision{{Until: at}}})[0]
		read := alertNow(f, id)
		equal(f.t, name, []time.Time{read.StartAt, read.StopAt, read.Events[0].Time, read.Decisions[0].Until}, []time.Time{at, at, at, at})
	}
	far := addAlerts(f, domain.Alert{Decisions: []domain.Decision{{Until: f.clock.Now().AddDate(20_000, 0, 0)}}})[0]
	if until := alertNow(f, far).Decisions[0].Until; until.Year() < 9999 {
		f.t.Fatalf("a decision for ever ends at %s", until)
	}
}

// filterAlerts are told apart by their message, and are created a second after each other.
func filterAlerts(f *fixture) {
	f.t.Helper()
	addMachine(f, domain.Machine{ID: "web-1"})
	addMachine(f, domain.Machine{ID: "web-2"})
	start := f.clock.Now()
	until := start.Add(time.Hour)
	decision := func(origin, kind string, scope domain.Scope, value string, until time.Time) domain.Decision {
		return domain.Decision{Origin: origin, Type: kind, Scenario: "d/" + value, Scope: scope, Value: value, Until: until}
	}
	for i, a := range []domain.Alert{
		{
			Message: "ban", MachineID: "web-1", Kind: "crowdsec", Scenario: "s/ban", Source: domain.Source{Scope: "Ip", Value: "192.0.2.7"},
			Decisions: []domain.Decision{decision("crowdsec", "ban", "Ip", "192.0.2.7", until)},
		},
		{
			Message: "range", MachineID: "web-2", Kind: "cscli", Scenario: "s/range", Source: domain.Source{Scope: "Range", Value: "192.0.2.0/24"},
			Decisions: []domain.Decision{decision("cscli", "captcha", "Range", "192.0.2.0/24", start.Add(-time.Hour))},
		},
		{Message: "none", MachineID: "web-1", Kind: "crowdsec", Scenario: "s/none", Source: domain.Source{Scope: "Ip", Value: "192.0.2.9"}},
		{
			Message: "six", Kind: "crowdsec", Scenario: "s/six", Simulated: true, Source: domain.Source{Scope: "Ip", Value: "2001:db8::7"},
			Decisions: []domain.Decision{
				decision("crowdsec", "ban", "Ip", "2001:db8::7", until), decision("crowdsec", "ban", "Country", "ZZ", until),
			},
		},
		{
			Message: "capi", Scenario: "s/capi", Source: domain.Source{Scope: "crowdsecurity/community-blocklist"},
			Decisions: []domain.Decision{decision("CAPI", "ban", "Ip", "198.51.100.1", until)},
		},
		{
			Message: "list", Scenario: "s/list", Source: domain.Source{Scope: "lists:tor"},
			Decisions: []domain.Decision{decision("lists", "ban", "Ip", "198.51.100.2", until)},
		},
		{Message: "empty list", Scenario: "s/list", Source: domain.Source{Scope: "lists:empty"}},
		{Message: "empty community list", Scenario: "s/capi", Source: domain.Source{Scope: "crowdsecurity/community-blocklist"}},
		{
			Message: "own use of a list's scope", Scenario: "s/own", Source: domain.Source{Scope: "lists:own"},
			Decisions: []domain.Decision{decision("cscli", "ban", "Ip", "198.51.100.3", until)},
		},
	} {
		a.StartAt = start.Add(time.Duration(i) * time.Minute)
		addAlerts(f, a)
		f.clock.advance(time.Second)
	}
}

func alertFilters(f *fixture) {
	start := f.clock.Now()
	filterAlerts(f)
	for name, row := range map[string]struct {
		filter store.AlertFilter
		want   []string
	}{
		"id":                     {store.AlertFilter{IDs: []int64{alertsNow(f, store.AlertFilter{})[8].ID}}, []string{"ban"}},
		"scope":                  {store.AlertFilter{Scope: "Range"}, []string{"range"}},
		"scope in other case":    {store.AlertFilter{Scope: "range"}, nil},
		"value":                  {store.AlertFilter{Value: "192.0.2.9"}, []string{"none"}},
		"scenario":               {store.AlertFilter{Scenario: "s/six"}, []string{"six"}},
		"scenario of a decision": {store.AlertFilter{Scenario: "d/ZZ"}, []string{"six"}},
		"kind":                   {store.AlertFilter{Kind: "cscli"}, []string{"range"}},
		"machine":                {store.AlertFilter{MachineID: "web-1"}, []string{"none", "ban"}},
		"address in a range":     {store.AlertFilter{Range: ipRange(f, "192.0.2.7")}, []string{"range", "ban"}},
		"address in one":         {store.AlertFilter{Range: ipRange(f, "192.0.2.8")}, []string{"range"}},
		"range in none":          {store.AlertFilter{Range: ipRange(f, "192.0.0.0/16")}, nil},
		"inside a range":         {store.AlertFilter{Range: ipRange(f, "192.0.0.0/16"), Inside: true}, []string{"range", "ban"}},
		"IPv6 inside":            {store.AlertFilter{Range: ipRange(f, "::/0"), Inside: true}, []string{"six"}},
		"IPv6 address":           {store.AlertFilter{Range: ipRange(f, "2001:db8::7")}, []string{"six"}},
		"IPv6 neighbour":         {store.AlertFilter{Range: ipRange(f, "2001:db8::8")}, nil},
		"started between":        {store.AlertFilter{StartedAfter: start.Add(time.Minute), StartedBefore: start.Add(2 * time.Minute)}, []string{"none", "range"}},
		"created before":         {store.AlertFilter{CreatedBefore: start.Add(time.Second)}, []string{"range", "ban"}},
		"not simulated":          {store.AlertFilter{ExcludeSim: true, StartedAfter: start.Add(3 * time.Minute), StartedBefore: start.Add(4 * time.Minute)}, []string{"capi"}},
		"active decision":        {store.AlertFilter{Active: new(true), Now: start, MachineID: "web-1"}, []string{"ban"}},
		"expired decision":       {store.AlertFilter{Active: new(true), Now: start, MachineID: "web-2"}, nil},
		"active later":           {store.AlertFilter{Active: new(true), Now: start.Add(time.Hour)}, nil},
		"no decision":            {store.AlertFilter{Active: new(false), Now: start}, []string{"empty community list", "empty list", "none"}},
		"type of decision":       {store.AlertFilter{DecisionType: "captcha"}, []string{"range"}},
		"origin of decision":     {store.AlertFilter{Origin: "CAPI"}, []string{"capi"}},
		"without central API":    {store.AlertFilter{ExcludeCAPI: true}, []string{"own use of a list's scope", "six", "none", "range", "ban"}},
		"everything at once": {store.AlertFilter{
			Scope: "Ip", Value: "192.0.2.7", Scenario: "s/ban", Kind: "crowdsec", MachineID: "web-1", DecisionType: "ban", Origin: "crowdsec",
			Range: ipRange(f, "192.0.2.7"), StartedAfter: start, StartedBefore: start, CreatedBefore: start, ExcludeSim: true, ExcludeCAPI: true,
			Active: new(true), Now: start, Limit: 3,
		}, []string{"ban"}},
	} {
		found := alertsNow(f, row.filter)
		equal(f.t, name, messages(found), row.want)
		row.filter.Limit = 0
		equal(f.t, name+", counted", countNow(f, row.filter), byScenario(found))
	}
}

func countNow(f *fixture, filter store.AlertFilter) map[string]int {
	f.t.Helper()
	counts, err := f.CountAlerts(f.t.Context(), filter)
	succeed(f.t, "counting alerts", err)
	return counts
}

func byScenario(alerts []domain.Alert) map[string]int {
	counts := map[string]int{}
	for i := range alerts {
		counts[alerts[i].Scenario]++
	}
	return counts
}

// alertCount tells scenarios apart that a database may take for the same.
func alertCount(f *fixture) {
	equal(f.t, "nothing", countNow(f, store.AlertFilter{}), map[string]int{})
	want := map[string]int{"acme/ssh": 3, "acme/SSH": 2, "acmé/ssh": 1, "": 1}
	for scenario, count := range want {
		for range count {
			alert := lasting(f, "a", "b") // two decisions are one alert
			alert.Scenario = scenario
			addAlerts(f, alert)
		}
	}
	equal(f.t, "all", countNow(f, store.AlertFilter{}), want)
	equal(f.t, "limited", countNow(f, store.AlertFilter{Limit: 1, OldestFirst: true}), want)
	equal(f.t, "one", countNow(f, store.AlertFilter{Scenario: "acme/ssh"}), map[string]int{"acme/ssh": 3})
	_, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{Scenario: "acme/SSH"}, f.clock.Now())
	succeed(f.t, "deleting", err)
	delete(want, "acme/SSH")
	equal(f.t, "after a deletion", countNow(f, store.AlertFilter{}), want)
}

func ipRange(f *fixture, text string) domain.IPRange {
	f.t.Helper()
	r, err := domain.ParseIPRange(text)
	succeed(f.t, "parsing "+text, err)
	return r
}

func alertOrder(f *fixture) {
	addAlerts(f, domain.Alert{Message: "1"}, domain.Alert{Message: "2"})
	f.clock.advance(time.Millisecond)
	addAlerts(f, domain.Alert{Message: "3"})
	f.clock.advance(-time.Second)
	addAlerts(f, domain.Alert{Message: "earlier"})
	for name, row := range map[string]struct {
		filter store.AlertFilter
		want   []string
	}{
		"newest first":          {store.AlertFilter{}, []string{"3", "2", "1", "earlier"}},
		"oldest first":          {store.AlertFilter{OldestFirst: true}, []string{"earlier", "1", "2", "3"}},
		"limited":               {store.AlertFilter{Limit: 2}, []string{"3", "2"}},
		"limited, oldest first": {store.AlertFilter{Limit: 1, OldestFirst: true}, []string{"earlier"}},
	} {
		equal(f.t, name, messages(alertsNow(f, row.filter)), row.want)
	}
}

func alertNoDecisions(f *fixture) {
	addAlerts(f, fullAlert(f))
	found := alertsNow(f, store.AlertFilter{NoDecisions: true})
	equal(f.t, "alerts", len(found), 1)
	equal(f.t, "decisions", len(found[0].Decisions), 0)
	equal(f.t, "events", len(found[0].Events), 2)
}

func alertMany(f *fixture) {
	const count = 603 // more than a batch
	alerts := make([]domain.Alert, count)
	for i := range alerts {
		name := fmt.Sprint(i)
		alerts[i] = domain.Alert{
			Message: name, Meta: []domain.KeyValue{{Key: "name", Value: name}},
			Events:    []domain.AlertEvent{{Time: f.clock.Now(), Meta: []domain.KeyValue{{Key: "name", Value: name}}}},
			Decisions: []domain.Decision{{Scope: "name", Value: name}},
		}
	}
	addAlerts(f, alerts...)
	found := alertsNow(f, store.AlertFilter{OldestFirst: true})
	equal(f.t, "alerts", len(found), count)
	for i, a := range found {
		name := fmt.Sprint(i)
		equal(f.t, "message", a.Message, name)
		equal(f.t, "meta", a.Meta, alerts[i].Meta)
		equal(f.t, "events", a.Events, alerts[i].Events)
		equal(f.t, "decisions", len(a.Decisions), 1)
		equal(f.t, "decision", a.Decisions[0].Value, name)
	}
}

func alertDelete(f *fixture) {
	filterAlerts(f)
	deleted, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{MachineID: "web-1"}, f.clock.Now())
	succeed(f.t, "deleting", err)
	equal(f.t, "deleted alerts", deleted, 2)
	equal(f.t, "remaining alerts", len(alertsNow(f, store.AlertFilter{})), 7)
	equal(f.t, "their decisions", len(decisionsNow(f, store.DecisionFilter{Value: "192.0.2.7"})), 0)
	equal(f.t, "remaining decisions", len(decisionsNow(f, store.DecisionFilter{})), 6)

	deleted, err = f.DeleteAlerts(f.t.Context(), store.AlertFilter{MachineID: "web-1"}, f.clock.Now())
	succeed(f.t, "deleting nothing", err)
	equal(f.t, "deleted again", deleted, 0)
}

func alertDeleteIgnoresLimit(f *fixture) {
	filterAlerts(f)
	deleted, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{Limit: 1, OldestFirst: true, NoDecisions: true}, f.clock.Now())
	succeed(f.t, "deleting", err)
	equal(f.t, "deleted alerts", deleted, 9)
	equal(f.t, "decisions", len(decisionsNow(f, store.DecisionFilter{})), 0)
}

func cancelled(f *fixture) {
	ctx, cancel := contextOf(f)
	cancel()
	_, adding := f.AddAlerts(ctx, []domain.Alert{fullAlert(f)})
	_, reading := f.Alerts(ctx, store.AlertFilter{})
	_, following := f.ChangesSince(ctx, 0, 1)
	for what, err := range map[string]error{"adding": adding, "reading": reading, "following": following} {
		if !errors.Is(err, ctx.Err()) {
			f.t.Fatalf("%s after the end of its context: %v", what, err)
		}
	}
	equal(f.t, "alerts", len(alertsNow(f, store.AlertFilter{})), 0)
}
