package usage_test

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/cscli/usage"
	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

func report(t interface{ Fatal(...any) }, kind domain.UsageKind, from string, windows ...wire.UsageWindow) domain.UsageReport {
	payload, err := json.Marshal(map[string]any{"metrics": windows})
	if err != nil {
		t.Fatal(err)
	}
	return domain.UsageReport{Kind: kind, From: from, Payload: string(payload)}
}

func window(at int64, items ...wire.UsageItem) wire.UsageWindow {
	return wire.UsageWindow{Meta: wire.UsageMeta{UTCNowTimestamp: at}, Items: items}
}

func item(name, unit, origin, ipType string, value float64) wire.UsageItem {
	labels := map[string]string{}
	if origin != "" {
		labels["origin"] = origin
	}
	if ipType != "" {
		labels["ip_type"] = ipType
	}
	return wire.UsageItem{Name: name, Unit: unit, Labels: labels, Value: value}
}

func TestBouncers(t *testing.T) {
	t.Parallel()
	got := usage.Bouncers([]domain.UsageReport{
		report(t, domain.UsageRemediation, "fw",
			window(200, item("dropped", "byte", "CAPI", "ipv4", 10.6), item("active_decisions", "ip", "CAPI", "ipv4", 5)),
			// The window before comes later, and one number of it twice.
			window(100, item("dropped", "byte", "CAPI", "ipv4", 10.6), item("dropped", "byte", "CAPI", "ipv4", 10.6),
				item("active_decisions", "ip", "CAPI", "ipv4", 9), item("load_gauge", "percent", "", "", 80))),
		report(t, domain.UsageRemediation, "fw",
			window(200, item("dropped", "byte", "CAPI", "ipv6", 1.9), item("dropped", "packet", "cscli", "", 3),
				item("active_decisions", "ip", "CAPI", "ipv6", 2))),
		report(t, domain.UsageRemediation, "other", window(300)),
		report(t, domain.UsageLogProcessor, "fw", window(50, item("dropped", "byte", "CAPI", "ipv4", 1000))),
		{Kind: domain.UsageRemediation, From: "fw", Payload: "garbage"},
	})
	want := map[string]usage.Bouncer{"fw": {Since: time.Unix(100, 0).UTC(), Counts: usage.Counts{
		// 10.6 + 10.6 is cut off before 1.9 is, and of the gauge the newer value of each type counts.
		"CAPI":  {"dropped": {"byte": 22}, "active_decisions": {"ip": 7}},
		"cscli": {"dropped": {"packet": 3}},
		"":      {"load_gauge": {"percent": 80}},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestReportsMayComeTwiceAndInAnyOrder: counts are sets of numbers.
func TestReportsMayComeTwiceAndInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var reports []domain.UsageReport
		for i := range rapid.IntRange(1, 6).Draw(rt, "reports") {
			count := rapid.IntRange(0, 1000).Draw(rt, "count")
			reports = append(reports, report(rt, domain.UsageRemediation, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "from"),
				window(int64(i), item("dropped", "byte", "CAPI", "ipv4", float64(count)), item("active_decisions", "ip", "CAPI", "ipv4", float64(count)))))
		}
		want := usage.Bouncers(reports)
		shuffled := rapid.Permutation(slices.Concat(reports, reports)).Draw(rt, "order")
		if got := usage.Bouncers(shuffled); !reflect.DeepEqual(got, want) {
			rt.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestMachines(t *testing.T) {
	t.Parallel()
	line := func(name string, value float64, labels ...string) wire.UsageItem {
		i := wire.UsageItem{Name: name, Unit: "line", Value: value, Labels: map[string]string{}}
		for n := 0; n+1 < len(labels); n += 2 {
			i.Labels[labels[n]] = labels[n+1]
		}
		return i
	}
	file := []string{"datasource_type", "file", "source", "/x", "acquis_type", "syslog"}
	got := usage.Machines([]domain.UsageReport{
		report(t, domain.UsageLogProcessor, "m", window(1, line("read", 3, file...), line("global_parsed", 2, file...), line("global_unparsed", 1, file...))),
		report(t, domain.UsageLogProcessor, "m", window(2,
			line("read", 4, file...),
			line("parsed", 2, append(file, "parser_name", "p", "parser_stage", "s01")...),
			line("unparsed", 1, append(file, "parser_name", "p", "parser_stage", "s00")...),
			line("parsed", 5, "acquis_type", "unknown", "parser_name", "o", "parser_stage", "s00"),
			line("read", 1, "datasource_type", "zzz", "source", "z"),
			line("whitelisted", 1, file...))),
		report(t, domain.UsageRemediation, "m", window(1, line("read", 100, file...))),
		report(t, domain.UsageLogProcessor, "idle", window(1)),
	})
	want := map[string]usage.Work{"idle": {}, "m": {
		Acquisition: []usage.Source{{Source: "file:/x (syslog)", Read: 7, Parsed: 2, Unparsed: 1}, {Source: "zzz:z", Read: 1}},
		Parsers: []usage.Parser{
			{Source: "file:/x (syslog)", Stage: "s00", Parser: "p", Unparsed: 1},
			{Source: "file:/x (syslog)", Stage: "s01", Parser: "p", Parsed: 2},
			{Source: "Postoverflows", Stage: "s00", Parser: "o", Parsed: 5},
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestNumbersBeyondAllBoundsStayPositive(t *testing.T) {
	t.Parallel()
	got := usage.Bouncers([]domain.UsageReport{report(t, domain.UsageRemediation, "fw", window(1,
		item("dropped", "byte", "CAPI", "ipv4", math.MaxFloat64), item("dropped", "byte", "CAPI", "ipv6", math.MaxFloat64)))})
	if count := got["fw"].Counts["CAPI"]["dropped"]["byte"]; count <= 0 {
		t.Errorf("got %d", count)
	}
}
