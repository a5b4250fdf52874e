package remediation_test

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// filter enforces bans of both families.
func filter() remediation.Filter {
	return remediation.Filter{Types: []string{"ban"}, IPv4: true, IPv6: true}
}

func decision(value, origin, duration string) wire.Decision {
	return wire.Decision{Value: value, Origin: origin, Duration: duration, Scope: "Ip", Type: "ban"}
}

func parse(t *testing.T, value string) domain.IPRange {
	t.Helper()
	r, err := domain.ParseIPRange(value)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// enforced is what a backend holds that performs plans literally.
type enforced map[remediation.Set]remediation.Elements

func (e enforced) apply(plan remediation.Plan) {
	for _, change := range plan.Changes {
		if e[change.Set] == nil {
			e[change.Set] = remediation.Elements{}
		}
		for _, gone := range change.Remove {
			delete(e[change.Set], gone.IPRange)
		}
		for _, element := range append(change.Refresh, change.Add...) {
			e[change.Set][element.IPRange] = element.Until
		}
	}
}

func TestCompareMakesAnythingEqualToTheDesired(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		desired := remediation.NewDesired(filter())
		origins := []string{"crowdsec", "cscli"}
		want := map[string]time.Time{} // by origin and address
		for range rapid.IntRange(0, 12).Draw(t, "decisions") {
			origin := rapid.SampledFrom(origins).Draw(t, "origin")
			value := rangeOf(t)
			text := remediation.Text(value)
			if _, err := domain.ParseIPRange(text); err != nil {
				continue // neither an address nor a prefix
			}
			hours := time.Duration(rapid.IntRange(1, 5).Draw(t, "hours")) * time.Hour
			if _, _, err := desired.Add(decision(text, origin, hours.String()), epoch); err != nil {
				t.Fatal(err)
			}
			for _, address := range universe {
				if value.Contains(domain.IPRange{First: address, Last: address}) {
					key := origin + address.String()
					if until := epoch.Add(hours); until.After(want[key]) {
						want[key] = until
					}
				}
			}
		}
		actual := enforced{}
		for _, origin := range origins { // leftovers of anybody
			for _, e := range remediation.Disjoint(elements(t)) {
				set := remediation.Set{Group: origin, Ranges: e.First != e.Last}
				if actual[set] == nil {
					actual[set] = remediation.Elements{}
				}
				actual[set][e.IPRange] = e.Until
			}
		}
		now := epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "elapsed")) * time.Hour / 2)
		actual.apply(remediation.Compare(desired, remediation.Enforced{Sets: actual}, now))
		check(t, actual, want, origins, now)
		again := remediation.Compare(desired, remediation.Enforced{Sets: actual}, now)
		if !again.IsEmpty() {
			t.Fatalf("comparing again plans %+v", again)
		}
	})
}

// check compares what is in force at now with what should be, address by address.
func check(t *rapid.T, actual enforced, want map[string]time.Time, origins []string, now time.Time) {
	for _, origin := range origins {
		for _, address := range universe {
			var held time.Time
			for _, ranges := range []bool{false, true} {
				for value, until := range actual[remediation.Set{Group: origin, Ranges: ranges}] {
					if value.Contains(domain.IPRange{First: address, Last: address}) && until.After(held) {
						held = until
					}
				}
			}
			wanted := want[origin+address.String()]
			if wanted.After(now) != held.After(now) || wanted.After(now) && !wanted.Equal(held) {
				t.Fatalf("%s by %s is held until %v, want %v, now %v", address, origin, held, wanted, now)
			}
		}
	}
}

func TestCompareToleratesRounding(t *testing.T) {
	t.Parallel()
	set := remediation.Set{Group: "crowdsec"}
	for _, test := range []struct {
		name    string
		present time.Duration
		refresh bool
	}{
		{"same", time.Hour, false},
		{"a second less", time.Hour - time.Second, false},
		{"a second more", time.Hour + time.Second, false},
		{"two seconds less", time.Hour - 2*time.Second, true},
		{"two seconds more", time.Hour + 2*time.Second, true},
		{"ended a moment ago", -time.Millisecond, true},
	} {
		desired := remediation.NewDesired(filter())
		if _, _, err := desired.Add(decision("192.0.2.1", "crowdsec", "1h"), epoch); err != nil {
			t.Fatal(err)
		}
		actual := enforced{set: {parse(t, "192.0.2.1"): epoch.Add(test.present)}}
		plan := remediation.Compare(desired, remediation.Enforced{Sets: actual}, epoch)
		if refresh := len(plan.Changes) == 1 && len(plan.Changes[0].Refresh) == 1; refresh != test.refresh {
			t.Errorf("%s: planned %+v", test.name, plan)
		}
	}
}

func TestDesiredLeavesOut(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*wire.Decision){
		"other types":    func(d *wire.Decision) { d.Type = "captcha" },
		"other scopes":   func(d *wire.Decision) { d.Scope = "Country"; d.Value = "FR" },
		"names":          func(d *wire.Decision) { d.Value = "example.com" },
		"what has ended": func(d *wire.Decision) { d.Duration = "-3s" },
		"other families": func(d *wire.Decision) { d.Value = "2001:db8::1" },
		"prefixes of other families": func(d *wire.Decision) {
			d.Value = "2001:db8::/32"
		},
	} {
		desired := remediation.NewDesired(remediation.Filter{Types: []string{"ban"}, IPv4: true})
		d := decision("192.0.2.1", "crowdsec", "1h")
		change(&d)
		if _, _, err := desired.Add(d, epoch); err == nil {
			t.Errorf("%s: enforced", name)
		}
		if plan := remediation.Compare(desired, remediation.Enforced{}, epoch); !plan.IsEmpty() {
			t.Errorf("%s: planned %+v", name, plan)
		}
	}
}

func TestDesired(t *testing.T) {
	t.Parallel()
	list := decision("192.0.2.1", "lists", "1h")
	list.Scenario = "tor-exit"
	upper := decision("192.0.2.1", "crowdsec", "1h")
	upper.Type, upper.Scope = "BAN", "ip"
	asRange := decision("192.0.2.1/32", "crowdsec", "2h")
	asRange.Scope = "Range"
	for _, test := range []struct {
		name    string
		add     []wire.Decision
		remove  []wire.Decision
		group   string
		expires time.Duration // 0: not enforced
	}{
		{"one", []wire.Decision{upper}, nil, "crowdsec", time.Hour},
		{"a list by its own name", []wire.Decision{list}, nil, "lists:tor-exit", time.Hour},
		{"the longest counts", []wire.Decision{decision("192.0.2.1", "crowdsec", "3h"), upper}, nil, "crowdsec", 3 * time.Hour},
		{"of different scopes too", []wire.Decision{asRange, upper}, nil, "crowdsec", 2 * time.Hour},
		{"the other scope stays", []wire.Decision{asRange, upper}, []wire.Decision{asRange}, "crowdsec", time.Hour},
		{"the other origin stays", []wire.Decision{list, upper}, []wire.Decision{upper}, "lists:tor-exit", time.Hour},
		{"removed", []wire.Decision{upper}, []wire.Decision{upper}, "crowdsec", 0},
		{"removed without its duration", []wire.Decision{upper}, []wire.Decision{decision("192.0.2.1", "crowdsec", "-7s")}, "crowdsec", 0},
		{"a duration nobody can read", []wire.Decision{decision("192.0.2.1", "crowdsec", "soon")}, nil, "crowdsec", 4 * time.Hour},
		{"days", []wire.Decision{decision("192.0.2.1", "crowdsec", "2d")}, nil, "crowdsec", 48 * time.Hour},
	} {
		desired := remediation.NewDesired(filter())
		for _, d := range test.add {
			if _, _, err := desired.Add(d, epoch); err != nil {
				t.Fatal(err)
			}
		}
		for _, d := range test.remove {
			if _, _, err := desired.Remove(d); err != nil {
				t.Fatal(err)
			}
		}
		actual := enforced{}
		actual.apply(remediation.Compare(desired, remediation.Enforced{Sets: maps.Clone(actual)}, epoch))
		until := actual[remediation.Set{Group: test.group}][parse(t, "192.0.2.1")]
		if test.expires == 0 && !until.IsZero() || test.expires != 0 && !until.Equal(epoch.Add(test.expires)) {
			t.Errorf("%s: until %v", test.name, until)
		}
	}
}
